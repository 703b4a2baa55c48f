/** @file Operators that run graphs, or make values. */
import type { GradientTable } from "../rule.ts";

/** Rules of operators that run sub-graphs. */
export const controlFlowRules = {
  // Gradients are taken inside a Loop's body, never through a Loop.
  If: "noRule",
  Loop: "noRule",
} satisfies Partial<GradientTable>;

/** Rules of operators that make values out of sizes. */
export const creationRules = {
  Constant: "nonDifferentiable",
  ConstantOfShape: "nonDifferentiable",
  EyeLike: "nonDifferentiable",
  RandomUniformLike: "nonDifferentiable",
  Range: "nonDifferentiable",
} satisfies Partial<GradientTable>;
