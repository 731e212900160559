#!/usr/bin/env bash
# Times llama.cpp's llama_decode on a GGUF file. See README.md.
set -euo pipefail

version=3.22.1
binaries_sha256=0d953e1503d5ab4608d8ed5b739132308c81ac05ffeb760d2a7f30e08a9f90e0
sources_sha256=a0d9dd80eacd2ab1cfe71aee57ac8a806487fd70b3d2a38fbec637752d9e5c5f

usage() {
    cat >&2 <<'TEXT'
usage: run.sh MODEL.gguf [options]
  --context N               KV depth at which rows are decoded (256)
  --threads N               threads, one core each (1)
  --core N                  first core to pin to (0)
  --rows LIST               rows per llama_decode (1,2,3,4,5,8,16)
  --prefill N               tokens of the prefill (512)
  --repetitions N           timed decodes per point (15)
  --prefill-repetitions N   timed prefills per setting (15)
  --flash LIST              flash attention: on,off
  --kv LIST                 KV types: f16,f32 (also bf16, q8_0)
  --repack LIST             weight repacking: on,off
  --variant NAME            CPU library: auto (llama.cpp's choice), all, one by name, or the path of
                            a libggml-cpu of your own build of the same release
  --json                    print JSON instead of a table
TEXT
    exit 2
}

die() {
    echo "run.sh: $*" >&2
    exit 1
}

model='' context=256 threads=1 core=0 rows=1,2,3,4,5,8,16 prefill=512
repetitions=15 prefill_repetitions=15 flash=on,off kv=f16,f32 repack=on,off variant=auto format=table
while (($# > 0)); do
    case $1 in
        --json) format=json; shift; continue ;;
        --help | -h) usage ;;
        --context | --threads | --core | --rows | --prefill | --repetitions | --prefill-repetitions | \
            --flash | --kv | --repack | --variant)
            (($# > 1)) || usage
            name=${1#--}
            printf -v "${name//-/_}" '%s' "$2"
            shift 2
            ;;
        -*) usage ;;
        *) [[ -z $model ]] || usage; model=$1; shift ;;
    esac
done
[[ -n $model ]] || usage
[[ -f $model ]] || die "no such file: $model"
[[ $threads =~ ^[1-9][0-9]*$ && $core =~ ^[0-9]+$ ]] || usage

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for tool in npm node gcc git taskset; do
    command -v "$tool" > /dev/null || die "needs $tool"
done

# Everything fetched or built lies in node_modules, which git ignores.
work=$here/node_modules/llama-cpp-$version
binaries=$work/binaries/package/bins/linux-x64

fetch() { # package, sha256, folder
    local archive
    archive=$work/$(cd "$work" && npm pack --silent "$1@$version")
    echo "$2  $archive" | sha256sum --check --quiet >&2 || die "$1@$version is not the package expected"
    mkdir -p "$3"
    tar -xzf "$archive" -C "$3"
    rm "$archive"
}

if [[ ! -f $work/complete ]]; then
    rm -rf "$work"
    mkdir -p "$work/headers"
    fetch @node-llama-cpp/linux-x64 "$binaries_sha256" "$work/binaries"
    fetch node-llama-cpp "$sources_sha256" "$work/sources"
    # The main package carries the sources of the same llama.cpp release as a git bundle.
    git clone --quiet --bare "$work/sources/package/llama/gitRelease.bundle" "$work/release.git" >&2
    git -C "$work/release.git" archive HEAD include ggml/include | tar -x -C "$work/headers"
    rm -rf "$work/sources" "$work/release.git"
    touch "$work/complete"
fi

release=$(sed -n 's/.*"release":"\([^"]*\)".*/\1/p' "$binaries/_nlcBuildMetadata.json")
program=$work/decode_bench
if [[ ! -x $program || $here/decode_bench.c -nt $program ]]; then
    gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra \
        -I"$work/headers/include" -I"$work/headers/ggml/include" "$here/decode_bench.c" -o "$program" \
        -L"$binaries" "-l:libllama.$release.so" "-l:libggml.$release.so" -l:libggml-base.so -lm \
        -Wl,-rpath,"$binaries"
fi

case $variant in
    auto) backends=("$binaries") ;;
    all) backends=("$binaries"/libggml-cpu-*.so) ;;
    */*) backends=("$variant") ;;
    *) backends=("$binaries/libggml-cpu-$variant.so") ;;
esac

# One process per CPU library; each writes one line of JSON.
documents=''
for backend in "${backends[@]}"; do
    [[ -e $backend ]] || die "no CPU variant $variant"
    status=0
    document=$(taskset -c "$core-$((core + threads - 1))" "$program" --model "$model" --backend "$backend" \
        --context "$context" --threads "$threads" --rows "$rows" --prefill "$prefill" \
        --repetitions "$repetitions" --prefill-repetitions "$prefill_repetitions" \
        --flash "$flash" --kv "$kv" --repack "$repack") || status=$?
    if ((status == 3)); then
        echo "this processor does not run $(basename "$backend")" >&2
        continue
    fi
    ((status == 0)) || exit "$status"
    documents+=$document$'\n'
done
[[ -n $documents ]] || die 'nothing was measured'

node "$here/report.mjs" "$format" "$release" <<< "$documents"
