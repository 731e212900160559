// Merges the measurements of run.sh (one JSON line per CPU variant) and picks the best per row count.
// usage: node report.mjs table|json RELEASE < lines

import { readFileSync } from "node:fs";

const [format, release] = process.argv.slice(2);
const documents = readFileSync(0, "utf8").split("\n").filter(line => line.trim() !== "").map(line => JSON.parse(line));

const { engine, version, context, threads } = documents[0];
const settings = documents.flatMap(document =>
    document.settings.map(setting => ({ cpuVariant: document.cpuVariant, ...setting })));
const prefillKey = Object.keys(settings[0]).find(key => /^prefill\d+Ms$/.test(key));
const rows = Object.keys(settings[0].decodeMs);
const smallest = values => values.reduce((left, right) => Math.min(left, right));

const best = Object.fromEntries(rows.map(row => [row, smallest(settings.map(setting => setting.decodeMs[row]))]));
const bestPrefill = smallest(settings.map(setting => setting[prefillKey]));

if (format === "json") {
    console.log(JSON.stringify({
        engine,
        version: `${release} (${version})`,
        cpuVariants: documents.map(document => document.cpuVariant),
        systemInfo: documents.map(document => document.systemInfo.trim()),
        context,
        threads,
        settings,
        best,
        [`bestP${prefillKey.slice(1)}`]: bestPrefill,
    }));
} else {
    const line = cells => console.log(cells
        .map((cell, index) => index < 4 ? String(cell).padEnd(index === 0 ? 16 : 7) : String(cell).padStart(10))
        .join(""));
    console.log(`llama.cpp ${release} (${version}), KV depth ${context}, ${threads} thread(s), median ms`);
    line(["variant", "flash", "kv", "repack", ...rows.map(row => `M=${row}`), prefillKey.slice(0, -2)]);
    for (const setting of settings) {
        line([
            setting.cpuVariant,
            setting.flashAttention ? "on" : "off",
            setting.kv,
            setting.repack ? "on" : "off",
            ...rows.map(row => setting.decodeMs[row].toFixed(3)),
            setting[prefillKey].toFixed(1),
        ]);
    }
    line(["best", "", "", "", ...rows.map(row => best[row].toFixed(3)), bestPrefill.toFixed(1)]);
}
