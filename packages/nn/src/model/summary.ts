/** @file A model as a table for people. */
import { GraphBuilder } from "@gristmill/onnx";
import { writeForward } from "../compile/forward.ts";
import type { PlannedCall } from "../compile/network-plan.ts";
import type { Plan } from "../compile/plan.ts";
import { GraphMath } from "../graph/graph-math.ts";
import { operationsByLayer } from "../graph/operations.ts";
import { countOf } from "../initializers/initializer.ts";
import type { SampleShape } from "../layers/shape.ts";

/** One layer of a summary. */
export interface LayerSummary {
  readonly name: string;
  readonly type: string;
  /** Names of the inputs and layers whose answers enter. */
  readonly inputs: readonly string[];
  /** Sizes of one sample of each output. */
  readonly outputs: readonly SampleShape[];
  readonly parameters: number;
  /** Of these, numbers that training changes. */
  readonly trainable: number;
  /** Additions and multiplications for one sample; sizes that only the run knows count as 1. */
  readonly flops: number;
}

/** Layers in their order, each once, with shapes, parameters and arithmetic. */
export function summaryOf(plan: Plan): readonly LayerSummary[] {
  const flops = operationsOf(plan);
  const makers = new Map<number, string>(plan.inputs.map(({ name }, i) => [i, name]));
  for (const { name, outputs } of plan.calls) for (const value of outputs) makers.set(value, name);
  const byName = new Map<string, PlannedCall[]>();
  for (const call of plan.calls) byName.set(call.name, [...(byName.get(call.name) ?? []), call]);
  return [...byName].flatMap(([name, calls]) => {
    const [first] = calls;
    if (first === undefined) return [];
    const weights = plan.weights.filter(({ id }) => id.startsWith(`${name}/`));
    const count = (list: typeof weights): number =>
      list.reduce((sum, { parameter }) => sum + countOf(parameter.shape), 0);
    return [
      {
        name,
        type: first.layer.type,
        inputs: calls.flatMap(({ inputs }) => inputs.map((value) => makers.get(value) ?? "")),
        outputs: calls.flatMap(({ outputShapes }) => outputShapes),
        parameters: count(weights),
        trainable: count(weights.filter(({ trainable }) => trainable)),
        flops: flops.get(name) ?? 0,
      },
    ];
  });
}

function operationsOf(plan: Plan): ReadonlyMap<string, number> {
  const builder = new GraphBuilder("summary");
  const inputs = plan.inputs.map(({ name, shape, dtype }) =>
    builder.input(`x/${name}`, dtype, [1, ...shape.map((size, axis) => size ?? `${name}.${axis + 1}`)]),
  );
  writeForward(plan, new GraphMath(builder), inputs, {
    training: false,
    weight: (id, storage) => ({ value: builder.input(`state/${id}`, "float32", storage.stored), storage }),
    randomKey: (place) => builder.input(`random/${place}`, "uint32", []),
    update: () => {},
    addLoss: () => {},
  });
  return operationsByLayer(builder.nodes);
}

const batchOf = (shape: SampleShape): string => `[${["batch", ...shape.map(String)].join(", ")}]`;
const grouped = (count: number): string => count.toLocaleString("en-US");

/** 1,234,567 as "1.23 M": three digits are enough to compare. */
function short(count: number): string {
  const units = ["", "k", "M", "G", "T", "P"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  return power === 0 ? String(count) : `${(count / 1000 ** power).toPrecision(3)} ${units[power]}`;
}

/** Layers, their output shapes, numbers of weights and arithmetic, and the totals. */
export function summarize(plan: Plan): string {
  const layers = summaryOf(plan);
  const isChain = layers.every(({ inputs }, i) => inputs.join() === (layers[i - 1]?.name ?? plan.inputs[0]?.name));
  const rows = layers.map(({ name, type, inputs, outputs, parameters, flops }) => [
    `${name} (${type})`,
    outputs.map(batchOf).join(", "),
    grouped(parameters),
    short(flops),
    ...(isChain ? [] : [inputs.join(", ")]),
  ]);
  const head = ["Layer (type)", "Output shape", "Parameters", "FLOPs", ...(isChain ? [] : ["Connected to"])];
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  const isNumber = (column: number): boolean => column === 2 || column === 3;
  const lines = table.map((row) =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  const sum = (pick: (layer: LayerSummary) => number): number => layers.reduce((all, layer) => all + pick(layer), 0);
  const [total, trainable] = [sum((layer) => layer.parameters), sum((layer) => layer.trainable)];
  const rule = "-".repeat(Math.max(...lines.map((line) => line.length)));
  const [first = "", ...body] = lines;
  return [
    first,
    rule,
    ...body,
    rule,
    `Input: ${plan.inputs.map(({ name, shape }) => (plan.inputs.length > 1 ? `${name} ${batchOf(shape)}` : batchOf(shape))).join(", ")}`,
    `Parameters: ${grouped(total)}${trainable === total ? "" : ` (${grouped(trainable)} trainable)`}`,
    `FLOPs for one sample: ${short(sum((layer) => layer.flops))}`,
  ].join("\n");
}
