/** @file A model's answers, batch by batch. */
import { type Session, type Tensor, tensor } from "@gristmill/onnx";
import { Buffers } from "../training/buffers.ts";
import { dataTensor, numbersOf, tensorsOf } from "../training/evaluate.ts";
import { elementsOf, type SampleArray, type Table } from "../training/source.ts";
import type { StateArrays } from "../training/state.ts";

/** What is asked. */
export interface Questions {
  readonly session: Session;
  readonly table: Table;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
  /** Written into where layers keep a memory from run to run. */
  readonly state: StateArrays;
}

/** float32 [count, ...] of each output by name. @throws signal.reason when aborted, which works between batches. */
export async function predictTable({
  session,
  table,
  batchSize,
  signal,
  state,
}: Questions): Promise<Readonly<Record<string, Tensor<"float32">>>> {
  const buffers = new Buffers();
  const parts = new Map<string, Tensor[]>();
  const wanted = new Set(session.inputs.map(({ name }) => name));
  const fed = Object.fromEntries(tensorsOf(session, state));
  // no sample at all: one run of no rows tells the sizes
  for (let at = 0; at < Math.max(table.length, 1); at += batchSize) {
    signal?.throwIfAborted();
    const count = Math.min(batchSize, table.length - at);
    const rows = buffers.take(table.columns, count);
    await table.batch(
      Uint32Array.from({ length: count }, (_, i) => at + i),
      rows,
    );
    const feeds = Object.entries(rows).map(([column, array]) => {
      const { shape, scale = 1 } = table.columns[column] ?? { shape: [] };
      return [column.slice("x/".length), dataTensor([count, ...shape], scaled(array, scale))] as const;
    });
    const { outputs } = await session.run({
      ...fed,
      ...Object.fromEntries(feeds.filter(([name]) => wanted.has(name))),
    });
    for (const [name, value] of Object.entries(outputs))
      if (name.startsWith("next/")) state.get(name.slice("next/".length))?.set(numbersOf(value));
      else parts.set(name, [...(parts.get(name) ?? []), value]);
  }
  return Object.fromEntries([...parts].map(([name, values]) => [name, joined(values)]));
}

/** float32 arithmetic throughout, as in training; whole numbers such as tokens stay. */
function scaled(data: SampleArray, scale: number): SampleArray {
  if (data instanceof Int32Array || (data instanceof Float32Array && scale === 1)) return data;
  const factor = Math.fround(scale);
  return Float32Array.from(data, (value) => value * factor);
}

/** Answers of batches after one another. */
function joined(values: readonly Tensor[]): Tensor<"float32"> {
  const count = values.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const shape = values[0]?.shape.slice(1) ?? [];
  const all = new Float32Array(count * elementsOf(shape));
  let at = 0;
  for (const value of values) {
    const numbers = numbersOf(value);
    all.set(numbers, at);
    at += numbers.length;
  }
  return tensor("float32", [count, ...shape], all);
}
