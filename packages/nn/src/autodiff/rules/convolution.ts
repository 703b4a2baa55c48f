/** @file Gradients of convolutions. Which recipe runs is one function of the shape: see convolution-shape.ts. */
import type { OperatorName, SettingsOf, Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import { inputRecipes, kernelRecipes } from "../convolution-recipes.ts";
import { type ConvolutionShape, inputRecipe, kernelRecipe } from "../convolution-shape.ts";
import type { GradientCall, GradientTable } from "../rule.ts";

/** The sizes of a Conv node. Only explicit padding and two spatial axes have a rule. */
function shapeOf(call: GradientCall<"Conv">): ConvolutionShape {
  const { auto_pad, strides, dilations, pads, group }: SettingsOf<"Conv"> = call.settings;
  if (auto_pad !== "NOTSET" && auto_pad !== "VALID")
    throw call.unsupported(`auto_pad "${auto_pad}" has no rule: write out the pads`);
  const [x, w, y] = [call.input(0), call.input(1), call.output(0)].map(sizesOf);
  if (x?.length !== 4) throw call.unsupported(`${(x?.length ?? 2) - 2} spatial axes have no rule yet, only 2`);
  const at = (list: readonly number[] | undefined, i: number, absent: number): number => list?.[i] ?? absent;
  return {
    x: [at(x, 0, 1), at(x, 1, 1), at(x, 2, 1), at(x, 3, 1)],
    w: [at(w, 0, 1), at(w, 1, 1), at(w, 2, 1), at(w, 3, 1)],
    map: [at(y, 2, 1), at(y, 3, 1)],
    strides: [at(strides, 0, 1), at(strides, 1, 1)],
    dilations: [at(dilations, 0, 1), at(dilations, 1, 1)],
    pads: [at(pads, 0, 0), at(pads, 1, 0), at(pads, 2, 0), at(pads, 3, 0)],
    groups: group,
  };
}

/** Sum over batch and image. Unpooling only spreads values among zeros, so what it spread sums to the same. */
function sumOverImages(math: GraphMath, dy: Value): Value {
  const maker = math.builder.nodes.findLast((node) => node.outputs.includes(dy));
  const spread = maker?.operator === "MaxUnpool" ? maker.inputs[0] : undefined;
  return math.sum(spread ?? dy, [0, 2, 3]);
}

const notYet = "noRule" satisfies GradientTable[OperatorName];

/** Rules of convolutions. */
export const convolutionRules = {
  Conv: (call) => {
    const { math, dy } = call;
    const shape = shapeOf(call);
    return [
      call.needs(0) ? inputRecipes[inputRecipe(shape)](math, dy, call.input(1), shape) : undefined,
      call.needs(1) ? kernelRecipes[kernelRecipe(shape)](math, call.input(0), dy, shape) : undefined,
      call.needs(2) ? sumOverImages(math, dy) : undefined,
    ];
  },
  ConvTranspose: notYet,
  Col2Im: notYet,
} satisfies Partial<GradientTable>;
