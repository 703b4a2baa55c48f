/** @file A model as a table for people. */
import type { Plan } from "../compile/plan.ts";
import { countOf } from "../initializers/initializer.ts";
import type { SampleShape } from "../layers/shape.ts";

const batchOf = (shape: SampleShape): string => `[${["batch", ...shape.map(String)].join(", ")}]`;
const grouped = (count: number): string => count.toLocaleString("en-US");

/** Layers, their output shapes and numbers of weights, and the total. */
export function summarize(plan: Plan): string {
  const rows = plan.calls.map(({ layer, name, outputShapes, parameters }) => [
    `${name} (${layer.type})`,
    outputShapes.map(batchOf).join(", "),
    grouped(parameters.reduce((sum, { shape }) => sum + countOf(shape), 0)),
  ]);
  const table = [["Layer (type)", "Output shape", "Parameters"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  const lines = table.map(
    ([layer = "", shape = "", count = ""]) =>
      `${layer.padEnd(widths[0] ?? 0)}  ${shape.padEnd(widths[1] ?? 0)}  ${count.padStart(widths[2] ?? 0)}`,
  );
  const total = plan.weights.reduce((sum, { parameter }) => sum + countOf(parameter.shape), 0);
  const rule = "-".repeat(Math.max(...lines.map((line) => line.length)));
  const [head = "", ...body] = lines;
  return [
    head,
    rule,
    ...body,
    rule,
    `Input: ${plan.inputs.map(({ shape }) => batchOf(shape)).join(", ")}`,
    `Parameters: ${grouped(total)}`,
  ].join("\n");
}
