/** Runs one benchmark by name: `npm run bench -- train-cnn [arguments]`; without a name, lists them. */
import { readdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";

interface Benchmark {
  run(args: string[]): Promise<void>;
}

const suffix = ".bench.ts";
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(suffix))
  .map((file) => file.slice(0, -suffix.length));
const [name, ...args] = process.argv.slice(2);

if (name === undefined || !names.includes(name)) {
  console.error(`${name === undefined ? "Name a benchmark" : `No benchmark "${name}"`}: ${names.join(", ")}`);
  process.exit(2);
}
const processors = cpus();
console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${process.platform}-${process.arch}, ` +
    `${processors.length} x ${processors[0]?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB\n`,
);
const benchmark = (await import(`./${name}${suffix}`)) as Benchmark;
await benchmark.run(args);
