/**
 * @file The whole of it: `npm run chaos -- --pieces 200000 --chats 500 --kills 5 --seed 1`. Ends with 1 when the ledger and the
 * clients disagree.
 */
import { parseArgs } from "node:util";
import { chaos } from "./chaos.ts";
import { languageStress } from "./language-stress.ts";

const { values } = parseArgs({
  options: {
    pieces: { type: "string", default: "200000" },
    chats: { type: "string", default: "500" },
    kills: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
  },
});
const pieces = Number(values.pieces);
const began = performance.now();
const at = (): string => `${((performance.now() - began) / 1000).toFixed(0)} s`;
const report = await chaos({
  pieces,
  killsEach: Number(values.kills),
  seed: Number(values.seed),
  onKill: (victim, answered) => console.log(`${at()}: killed the ${victim} after ${answered} answers`),
  onProgress: (answered) => {
    if (answered % 10_000 === 0) console.log(`${at()}: ${answered} of ${pieces} pieces of work answered`);
  },
});
console.log(`\n${report.kills} kills, ${report.seconds.toFixed(0)} s\n`);
console.log("              clients    ledger");
let isSame = report.faults.length === 0;
for (const name of ["requests", "rows", "events", "units"] as const) {
  const [answered, counted] = [report.answered[name], report.counted[name]];
  isSame &&= answered === counted;
  console.log(`${name.padEnd(10)} ${String(answered).padStart(10)} ${String(counted).padStart(9)}`);
}
for (const fault of report.faults) console.log(fault);
console.log(isSame ? "\nThe ledger has what was answered, once." : "\nThe ledger and the clients disagree.");

const stress = { requests: Number(values.chats), kills: Number(values.kills), seed: Number(values.seed) };
const { outcomes, faults, kills } = await languageStress(stress);
console.log(`\n${stress.requests} chats, ${kills} kills of their model: ${JSON.stringify(outcomes)}`);
for (const fault of faults) console.log(fault);
if (faults.length === 0) console.log("Each was paid as far as it went, and nothing is left of it.");
process.exitCode = isSame && faults.length === 0 ? 0 : 1;
