/**
 * Step time and peak memory of training, beside Keras and PyTorch in the same run: the reference CNN, LSTMs, a GRU, a
 * Transformer and a ResNet-18, at batch 32 and 128, with 1 and 2 threads. Every figure comes from a process of its own.
 *
 *   npm run bench -- train [--models cnn,lstm,lstm-long,gru,transformer,resnet18] [--batches 32,128] [--threads 1,2]
 *                          [--seconds 5] [--peers keras,torch] [--python PATH]
 *
 * The ratio is ours to the better peer's: 1.0 or less is the aim. A peer whose matrix product is under half as fast as ONNX
 * Runtime's is refused. The floor is what the step's arithmetic and bytes would take at the measured rates of this machine.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installPython, type Outcome, runCommand } from "./peers/install.ts";
import { floorMs, type Rates, workOf } from "./train/floor.ts";
import { type Measurement, type Row, rowArguments } from "./train/measurement.ts";
import { benchModels } from "./train/models.ts";
import { gemmRate, memoryRate } from "./train/rates.ts";
import { type Line, refusals, table } from "./train/table.ts";

const here = import.meta.dirname;
const own = join(here, "train", "own.ts");
const libraries: Readonly<Record<string, string>> = { keras: "Keras", torch: "PyTorch" };
/** The slowest row, ResNet-18 at batch 128 with 1 thread, takes some 10 s a step on a slow machine. */
const rowLimitMs = 900_000;

/** Runs the benchmark and prints a table. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string", default: Object.keys(benchModels).join(",") },
      batches: { type: "string", default: "32,128" },
      threads: { type: "string", default: "1,2" },
      seconds: { type: "string", default: "5" },
      peers: { type: "string", default: "keras,torch" },
      python: { type: "string" },
    },
  });
  const list = (text: string): string[] => text.split(",").filter((part) => part !== "");
  const peers = list(values.peers).filter((peer) => Object.hasOwn(libraries, peer));
  const pythons = await findPythons(peers, values.python);
  for (const threads of list(values.threads).map(Number)) {
    const rates = { gemmGflops: await gemmRate(threads), memoryGbs: await memoryRate(threads) };
    console.log(
      `${threads} ${threads === 1 ? "thread" : "threads"}: ONNX Runtime multiplies 1024 x 1024 at ${rates.gemmGflops.toFixed(0)} GFLOP/s and moves ${rates.memoryGbs.toFixed(1)} GB/s; ${await buildTime(threads)}`,
    );
    const lines: Line[] = [];
    for (const model of list(values.models))
      for (const batch of list(values.batches).map(Number))
        lines.push(await measure({ model, batch, threads, seconds: Number(values.seconds) }, rates, pythons));
    console.log(
      `\n${table(
        lines,
        peers.map((peer) => libraries[peer] ?? peer),
      )}\n`,
    );
    for (const line of lines) for (const note of [...line.notes, ...refusals(line)]) console.log(note);
    const versions = new Set(
      lines.flatMap(({ peers }) => peers.map(({ library, version }) => `${library} ${version}`)),
    );
    console.log([...versions].join("; "), "\n");
  }
  for (const [name, { what }] of Object.entries(benchModels))
    if (values.models.includes(name)) console.log(`${name}: ${what}`);
}

/** An interpreter for each peer, or why there is none. */
async function findPythons(peers: readonly string[], given: string | undefined): Promise<ReadonlyMap<string, Outcome>> {
  const found = new Map<string, Outcome>();
  for (const peer of peers)
    found.set(
      peer,
      given === undefined ? await installPython(`requirements-${peer}.txt`) : { ok: true, output: given },
    );
  return found;
}

async function measure(row: Row, rates: Rates, pythons: ReadonlyMap<string, Outcome>): Promise<Line> {
  const notes: string[] = [];
  const place = `${row.model}, batch ${row.batch}, ${row.threads} threads`;
  const note = (who: string, reason: string): undefined => void notes.push(`${place}: no figure of ${who}: ${reason}`);
  const line = { model: row.model, batch: row.batch, threads: row.threads, notes };
  let floor = Number.NaN;
  try {
    const model = benchModels[row.model]?.make();
    if (model === undefined) throw new Error(`no such model; known: ${Object.keys(benchModels).join(", ")}`);
    floor = floorMs(workOf(model, row.batch), rates);
  } catch (error) {
    note("Gristmill", error instanceof Error ? error.message : String(error));
    return { ...line, floorMs: floor, own: undefined, peers: [] };
  }
  const ours = read(await runCommand(process.execPath, [own, ...rowArguments(row)], rowLimitMs), (reason) =>
    note("Gristmill", reason),
  );
  const peers: Measurement[] = [];
  for (const [peer, python] of pythons) {
    const script = join(here, "peers", "train", `${peer}_train.py`);
    const outcome = python.ok
      ? await runCommand(python.output, ["-B", script, ...rowArguments(row)], rowLimitMs)
      : python;
    const found = read(outcome, (reason) => note(libraries[peer] ?? peer, reason));
    if (found !== undefined) peers.push(found);
  }
  return { ...line, floorMs: floor, own: ours, peers };
}

/** The last line that a process printed, as what it measured. */
function read(outcome: Outcome, refuse: (reason: string) => undefined): Measurement | undefined {
  if (!outcome.ok) return refuse(outcome.reason);
  return JSON.parse(outcome.output.trim().split("\n").at(-1) ?? "") as Measurement;
}

async function buildTime(threads: number): Promise<string> {
  const outcome = await runCommand(process.execPath, [join(here, "train", "build.ts"), String(threads)], 120_000);
  if (!outcome.ok) return `12 layers of a Transformer: not built: ${outcome.reason}`;
  const { modelMs, sessionMs } = JSON.parse(outcome.output) as { modelMs: number; sessionMs: number };
  return `a Transformer of 12 layers is made in ${modelMs.toFixed(0)} ms and its session in ${sessionMs.toFixed(0)} ms`;
}
