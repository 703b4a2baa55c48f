/** @file Operators that run graphs, make values, or resample. */
import type { GradientTable } from "../rule.ts";

export const controlFlowRules = {
  // Gradients are taken inside a Loop's body, never through a Loop; Scan's rule comes with recurrent layers.
  If: "noRule",
  Loop: "noRule",
  Scan: "noRule",
} satisfies Partial<GradientTable>;

export const creationRules = {
  Constant: "nonDifferentiable",
  ConstantOfShape: "nonDifferentiable",
  EyeLike: "nonDifferentiable",
  RandomUniformLike: "nonDifferentiable",
  Range: "nonDifferentiable",
} satisfies Partial<GradientTable>;

export const resizingRules = { Resize: "noRule" } satisfies Partial<GradientTable>;
