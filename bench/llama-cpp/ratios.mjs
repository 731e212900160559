// Compares the rounds of compare.sh.
// usage: node ratios.mjs table|json FOLDER ROUNDS, where FOLDER holds forerun-N.json and llama-N.json

import { readFileSync } from "node:fs";
import { join } from "node:path";

const [format, folder, count] = process.argv.slice(2);
const read = (engine, round) => JSON.parse(readFileSync(join(folder, `${engine}-${round}.json`), "utf8"));
const rounds = Array.from({ length: Number(count) }, (_, index) => ({
    forerun: read("forerun", index + 1),
    llama: read("llama", index + 1),
}));

function median(values) {
    const sorted = values.toSorted((left, right) => left - right);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function compare(point, forerunMs, llamaMs, settingMs) {
    const pairs = rounds.map(({ forerun, llama }) => ({ forerun: forerunMs(forerun), llama: llamaMs(llama) }));
    if (pairs.some(pair => pair.forerun === undefined || pair.llama === undefined)) {
        return undefined;
    }
    const ratios = pairs.map(pair => pair.llama / pair.forerun);
    const winners = rounds.map(({ llama }) => llama.settings.find(setting => settingMs(setting) === llamaMs(llama)));
    return {
        point,
        forerunMs: median(pairs.map(pair => pair.forerun)),
        llamaMs: median(pairs.map(pair => pair.llama)),
        ratio: median(ratios),
        lowestRatio: Math.min(...ratios),
        highestRatio: Math.max(...ratios),
        llamaSettings: [...new Set(winners.map(describe))],
    };
}

const describe = setting =>
    `${setting.cpuVariant}/flash-${setting.flashAttention ? "on" : "off"}/${setting.kv}${setting.repack ? "/repack" : ""}`;

const { version, context, threads, best } = rounds[0].llama;
const comparisons = Object.keys(best)
    .map(row => compare(
        `M=${row}`,
        forerun => forerun.results.find(result => result.rows === Number(row))?.medianMs,
        llama => llama.best[row],
        setting => setting.decodeMs[row]))
    .concat(compare(
        "prefill 512",
        forerun => forerun.prefill512Ms,
        llama => llama.bestPrefill512Ms,
        setting => setting.prefill512Ms))
    .filter(comparison => comparison !== undefined);

if (format === "json") {
    console.log(JSON.stringify({ llamaVersion: version, context, threads, rounds: rounds.length, comparisons }));
} else {
    console.log(`Forerun and llama.cpp ${version}: KV depth ${context}, ${threads} thread(s), ` +
        `medians of ${rounds.length} round(s); ratio = llama.cpp's best ms / Forerun ms`);
    console.log("point        Forerun ms  llama.cpp ms   ratio  (lowest - highest)  llama.cpp's best settings");
    for (const { point, forerunMs, llamaMs, ratio, lowestRatio, highestRatio, llamaSettings } of comparisons) {
        console.log(
            point.padEnd(12) + forerunMs.toFixed(3).padStart(11) + llamaMs.toFixed(3).padStart(14) +
            ratio.toFixed(2).padStart(8) + `  (${lowestRatio.toFixed(2)} - ${highestRatio.toFixed(2)})`.padEnd(22) +
            llamaSettings.join(", "));
    }
}
