/**
 * @file Peak memory and time of a deep stack with its blocks kept or computed twice, each in a process of its own:
 * `node packages/nn/src/autodiff/recompute.bench.ts [layers batch time width heads]`.
 *
 * 12 layers, batch 16, 128 positions, 256 wide (2 cores, shared with others' work): kept 1423 MB at its peak, twice 521 MB,
 * of which 190 MB are the program and its inputs; 6.9 and 7.8 s a step on that busy machine; the same bits.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createSession } from "@gristmill/onnx";
import { deepStack, type StackSizes } from "./testing/deep-stack.ts";

const runs = 3;

/** One way, in this process: peak resident memory in MB, median milliseconds, and a sum over all bits that came out. */
async function measure(sizes: StackSizes, recompute: boolean): Promise<string> {
  const { model, feeds } = deepStack(sizes, recompute);
  const session = await createSession(model, { threads: 2 });
  const before = process.memoryUsage().rss / 2 ** 20;
  const times: number[] = [];
  let sum = 0;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    const { outputs } = await session.run(feeds);
    times.push(performance.now() - start);
    for (const { data } of Object.values(outputs)) {
      const bits = new Uint32Array((data as Float32Array).buffer, (data as Float32Array).byteOffset, data.length);
      for (const word of bits) sum = (Math.imul(sum, 31) + word) | 0;
    }
  }
  await session.close();
  const peak = process.resourceUsage().maxRSS / 1024;
  const median = times.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
  return `before the first run ${before.toFixed(0)} MB, peak ${peak.toFixed(0)} MB, ${median.toFixed(0)} ms a step, bits ${sum}`;
}

const [, , ...given] = process.argv;
const way = given.find((word) => word === "kept" || word === "twice");
if (way === undefined)
  for (const one of ["kept", "twice"])
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), one, ...given], { stdio: "inherit" });
else {
  const [layers = 12, batch = 16, time = 128, width = 256, heads = 8] = given.slice(1).map(Number);
  console.log(way.padEnd(6), await measure({ layers, batch, time, width, heads }, way === "twice"));
}
