/** @file What is said of a graph that cannot be trained as it stands. */
import type { Node } from "@gristmill/onnx";
import { NnError, type Problem } from "../errors.ts";

/** Operators on the way to the wanted values that have no gradient: all of them, each with its reason. */
export class GradientError extends NnError {
  override readonly name = "GradientError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ where, message }) => `${where}: ${message}`);
    const advice =
      "no gradient goes through: train only weights behind the last of these nodes (freeze all before), or choose other weights";
    super(problems.length === 1 ? `${lines[0]}; ${advice}` : [...lines, advice].join("\n"));
    this.problems = problems;
  }
}

/** That a node has no gradient, and why. */
export const unsupported = (node: Node, why: string): GradientError =>
  new GradientError([{ where: node.name, message: `${node.operator} has no gradient here: ${why}` }]);
