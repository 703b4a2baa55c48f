/** @file The checker: says of a whole graph what is wrong, and where. */
import { OnnxError } from "../errors.ts";
import type { Graph, Model } from "./graph.ts";

/** One fault of a graph. */
export interface Problem {
  /** The node, value or graph at fault. */
  readonly where: string;
  readonly message: string;
}

/** Everything wrong with a model; empty when nothing is. */
export function checkGraph(model: Model): readonly Problem[] {
  return graphProblems(model.graph);
}

/** @throws OnnxError listing all problems of a model. */
export function assertModel(model: Model): void {
  throwProblems(model.graph.name, checkGraph(model));
}

/** @throws OnnxError listing all problems of a graph. */
export function assertGraph(graph: Graph): void {
  throwProblems(graph.name, graphProblems(graph));
}

function throwProblems(where: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const list = problems.map((problem) => `\n- ${problem.where}: ${problem.message}`).join("");
  throw new OnnxError(where, `the graph has ${problems.length} problem${problems.length === 1 ? "" : "s"}:${list}`);
}

function graphProblems(graph: Graph): Problem[] {
  return graph.outputs.length === 0 ? [{ where: graph.name, message: "the graph has no outputs" }] : [];
}
