/** @file A model as a table for people. */
import type { Plan } from "../compile/plan.ts";
import { countOf } from "../initializers/initializer.ts";

const grouped = (count: number): string => count.toLocaleString("en-US");

/** Layers, their output shapes and numbers of weights, and the total. */
export function summarize(plan: Plan): string {
  const rows = plan.layers.map(({ layer, name, output, parameters }) => [
    `${name} (${layer.type})`,
    `[batch, ${output.join(", ")}]`,
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
    `Input: [batch, ${plan.inputShape.join(", ")}]`,
    `Parameters: ${grouped(total)}`,
  ].join("\n");
}
