/** @file Operators that run graphs, make values, or resample. */
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

/** Rules of drawing larger and smaller. */
export const resizingRules = { Resize: "noRule" } satisfies Partial<GradientTable>;
