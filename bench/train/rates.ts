/** @file How fast this machine multiplies matrices and moves memory, measured with ONNX Runtime. */
import { createSession, GraphBuilder, model, tensor, type Value } from "@gristmill/onnx";
import { median } from "./measurement.ts";

const size = 1024;

/** GFLOP/s of a 1024 x 1024 by 1024 x 1024 product in float32: the median of ten runs of ten products. */
export async function gemmRate(threads: number): Promise<number> {
  const builder = new GraphBuilder("gemm");
  const a = builder.input("a", "float32", [size, size]);
  let x: Value = builder.input("b", "float32", [size, size]);
  const products = 10;
  for (let i = 0; i < products; i++) x = builder.op("MatMul", [a, x]);
  builder.output(builder.op("ReduceMax", [x], { keepdims: 0 }), "most");
  // rows that add up to 1: products neither grow nor vanish into denormals
  const data = new Float32Array(size * size).fill(1 / size);
  const feeds = { a: tensor("float32", [size, size], data), b: tensor("float32", [size, size], data) };
  const ms = await medianMs(builder, feeds, threads, 10);
  return (2 * size ** 3 * products) / ms / 1e6;
}

/** GB/s, read and written together, of adding a number to 64 MiB in place, which no cache holds: the median of ten runs of eight passes. */
export async function memoryRate(threads: number): Promise<number> {
  const length = 16 * 2 ** 20;
  const passes = 8;
  const builder = new GraphBuilder("memory");
  let x: Value = builder.input("x", "float32", [length]);
  for (let i = 0; i <= passes; i++) x = builder.op("Add", [x, builder.scalar(1)]);
  builder.output(builder.op("ReduceMax", [x], { keepdims: 0 }), "most");
  const ms = await medianMs(builder, { x: tensor("float32", [length], new Float32Array(length)) }, threads, 10);
  // the first pass takes new memory, and the maximum reads once: about one pass more
  return (2 * 4 * length * (passes + 1)) / ms / 1e6;
}

type Feeds = Parameters<Awaited<ReturnType<typeof createSession>>["run"]>[0];

async function medianMs(builder: GraphBuilder, feeds: Feeds, threads: number, runs: number): Promise<number> {
  const session = await createSession(model(builder.build()), { threads });
  await session.run(feeds);
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
  }
  await session.close();
  return median(times);
}
