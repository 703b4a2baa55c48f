/** @file The llama block against its formulas, written once more in plain float64. */
import { expect, it } from "vitest";
import { Model } from "../../model/model.ts";
import { input } from "../../network/symbolic.ts";
import { normalAt } from "../../random/hash.ts";
import { llamaDecoder } from "./llama-decoder.ts";

type Row = readonly number[];
const rowsOf = (data: ArrayLike<number>, width: number): Row[] =>
  Array.from({ length: data.length / width }, (_, i) =>
    Array.from({ length: width }, (_v, j) => data[i * width + j] ?? 0),
  );
const dot = (a: Row, b: Row): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const times = (x: readonly Row[], kernel: readonly Row[]): Row[] =>
  x.map((row) =>
    (kernel[0] ?? []).map((_, column) =>
      dot(
        row,
        kernel.map((line) => line[column] ?? 0),
      ),
    ),
  );
const plus = (a: readonly Row[], b: readonly Row[]): Row[] =>
  a.map((row, i) => row.map((value, j) => value + (b[i]?.[j] ?? 0)));
const rms = (x: readonly Row[], scale: Row, epsilon: number): Row[] =>
  x.map((row) => {
    const size = Math.sqrt(dot(row, row) / row.length + epsilon);
    return row.map((value, i) => (value / size) * (scale[i] ?? 0));
  });
/** One head of a step, turned: number i with number i + half. */
const turn = (head: Row, step: number, base: number): Row => {
  const half = head.length / 2;
  return head.map((value, i) => {
    const angle = step * base ** (-(i % half) / half);
    const other = i < half ? -(head[i + half] ?? 0) : (head[i - half] ?? 0);
    return value * Math.cos(angle) + other * Math.sin(angle);
  });
};

it("llamaDecoder is RMS norm, rotary grouped-query attention and SwiGLU", async () => {
  const [steps, width, heads, keyHeads, inner, base, epsilon] = [6, 8, 4, 2, 5, 50, 1e-3];
  const size = width / heads;
  const x = input({ shape: [steps, width] });
  const layer = llamaDecoder(inner, heads, { numKeyValueHeads: keyHeads, ropeBase: base, epsilon, name: "block" });
  const model = new Model({ inputs: x, outputs: layer.apply(x) }, { seed: 1 });
  model.setWeights(
    model.getWeights().map(({ name, value }, k) => ({
      name,
      value: {
        ...value,
        data: value.data.map((_, i) => Math.fround(normalAt(k + 1, i) * 0.5 + (name.endsWith("scale") ? 1 : 0))),
      },
    })),
  );
  const data = Float32Array.from({ length: steps * width }, (_, i) => normalAt(99, i));
  const received = await model.predict({ shape: [1, steps, width], data }, { threads: 1 });
  await model.close();

  const weights = new Map(model.getWeights().map(({ name, value }) => [name.replace("block/", ""), value.data]));
  const matrix = (name: string, columns: number): Row[] => rowsOf(weights.get(name) ?? [], columns);
  const rows = rowsOf(data, width);
  const normed = rms(rows, matrix("self_attention_norm/scale", width)[0] ?? [], epsilon);
  const headsOf = (part: string, count: number): Row[][] =>
    times(normed, matrix(`self_attention/${part}/kernel`, count * size)).map((row) => rowsOf(row, size));
  const turned = (part: string, count: number): Row[][] =>
    headsOf(part, count).map((row, step) => row.map((head) => turn(head, step, base)));
  const [queries, keys, values] = [turned("query", heads), turned("key", keyHeads), headsOf("value", keyHeads)];
  const mixed = queries.map((row, step) =>
    row.flatMap((query, head) => {
      const shared = Math.floor((head * keyHeads) / heads);
      const scores = Array.from({ length: step + 1 }, (_, past) =>
        Math.exp(dot(query, keys[past]?.[shared] ?? []) / Math.sqrt(size)),
      );
      const total = scores.reduce((sum, one) => sum + one, 0);
      return Array.from({ length: size }, (_, i) =>
        scores.reduce((sum, one, past) => sum + (one / total) * (values[past]?.[shared]?.[i] ?? 0), 0),
      );
    }),
  );
  const attended = plus(rows, times(mixed, matrix("self_attention/attention_output/kernel", width)));
  const second = rms(attended, matrix("feedforward_norm/scale", width)[0] ?? [], epsilon);
  const [gate, up] = [
    times(second, matrix("feedforward/gate/kernel", inner)),
    times(second, matrix("feedforward/up/kernel", inner)),
  ];
  const gated = gate.map((row, i) => row.map((value, j) => (value / (1 + Math.exp(-value))) * (up[i]?.[j] ?? 0)));
  const expected = plus(attended, times(gated, matrix("feedforward/down/kernel", width))).flat();
  expect(received.data.length).toBe(expected.length);
  expected.forEach((value, i) => void expect(received.data[i]).toBeCloseTo(value, 4));
});
