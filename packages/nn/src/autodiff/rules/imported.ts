/** @file Operators that no layer here writes: they come with imported models, and wait for their rule, or have none. */
import { sizesOf } from "../../graph/graph-math.ts";
import type { GradientTable } from "../rule.ts";

/** Rules of operators that only imported models use. */
export const importedRules = {
  AffineGrid: "noRule",
  Bernoulli: "nonDifferentiable",
  BlackmanWindow: "nonDifferentiable",
  // what was cut off gets nothing, what was padded is dropped: the way back to the first sizes, around the same centre
  CenterCropPad: ({ math, dy, input, settings: { axes } }) => {
    const sizes = sizesOf(input(0));
    const back = axes === undefined ? sizes : axes.map((axis) => sizes.at(axis) ?? 1);
    const attributes = axes === undefined ? {} : { axes: [...axes] };
    return [math.builder.op("CenterCropPad", [dy, math.builder.ints(...back)], attributes)];
  },
  Compress: "noRule",
  ConvInteger: "nonDifferentiable",
  DFT: "noRule",
  DeformConv: "noRule",
  DynamicQuantizeLinear: "nonDifferentiable",
  GridSample: "noRule",
  HammingWindow: "nonDifferentiable",
  HannWindow: "nonDifferentiable",
  MatMulInteger: "nonDifferentiable",
  MaxRoiPool: "noRule",
  MelWeightMatrix: "nonDifferentiable",
  Multinomial: "nonDifferentiable",
  NonMaxSuppression: "nonDifferentiable",
  QLinearConv: "nonDifferentiable",
  QLinearMatMul: "nonDifferentiable",
  RandomNormal: "nonDifferentiable",
  RandomNormalLike: "nonDifferentiable",
  RandomUniform: "nonDifferentiable",
  RegexFullMatch: "nonDifferentiable",
  RoiAlign: "noRule",
  STFT: "noRule",
  StringConcat: "nonDifferentiable",
  StringNormalizer: "nonDifferentiable",
  StringSplit: "nonDifferentiable",
  TensorScatter: "noRule",
  TfIdfVectorizer: "nonDifferentiable",
  Unique: "noRule",
} satisfies Partial<GradientTable>;
