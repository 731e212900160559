#!/usr/bin/env bash
# Alternates Forerun and llama.cpp on one GGUF file and prints the ratio of their times. See README.md.
set -euo pipefail

usage() {
    cat >&2 <<'TEXT'
usage: compare.sh MODEL.gguf [options] [-- options of run.sh]
  --rounds N     measurements of each engine, in alternating order (5)
  --context N    KV depth at which rows are decoded (256)
  --threads N    threads, one core each (1)
  --core N       first core to pin to (0)
  --json         print JSON instead of a table
FORERUN names the engine's command: "dotnet artifacts/bin/Forerun.Cli/release/forerun.dll" unless set.
TEXT
    exit 2
}

model='' rounds=5 context=256 threads=1 core=0 format=table
while (($# > 0)); do
    case $1 in
        --) shift; break ;;
        --json) format=json; shift ;;
        --rounds | --context | --threads | --core)
            (($# > 1)) || usage
            [[ $2 =~ ^[0-9]+$ ]] || usage
            printf -v "${1#--}" '%s' "$2"
            shift 2
            ;;
        -*) usage ;;
        *) [[ -z $model ]] || usage; model=$(realpath "$1"); shift ;;
    esac
done
[[ -n $model && $rounds -gt 0 && $threads -gt 0 ]] || usage

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
read -r -a forerun <<< "${FORERUN:-dotnet $root/artifacts/bin/Forerun.Cli/release/forerun.dll}"

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

measure_forerun() {
    taskset -c "$core-$((core + threads - 1))" "${forerun[@]}" bench engine --model "$model" \
        --context "$context" --threads "$threads" --json > "$results/forerun-$1.json"
}

# Fewer prefills than run.sh alone does: every round repeats them. Options after -- come last and win.
measure_llama() {
    "$here/run.sh" "$model" --context "$context" --threads "$threads" --core "$core" --prefill-repetitions 3 --json \
        "${@:2}" > "$results/llama-$1.json"
}

for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    if ((round % 2 == 1)); then
        measure_forerun "$round"
        measure_llama "$round" "$@"
    else
        measure_llama "$round" "$@"
        measure_forerun "$round"
    fi
done

node "$here/ratios.mjs" "$format" "$results" "$rounds"
