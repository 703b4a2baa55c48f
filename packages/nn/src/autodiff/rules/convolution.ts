/** @file Gradients of convolutions. Which recipe runs is one function of the shape: see convolution-shape.ts. */
import type { Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import { inputRecipes, kernelRecipes, padded, windowsOf } from "../convolution-recipes.ts";
import { type ConvolutionShape, inputRecipe, kernelRecipe } from "../convolution-shape.ts";
import type { GradientCall, GradientTable } from "../rule.ts";
import { leftOver, padsOf, transposedAxes, windowAxes } from "../window.ts";

/** The sizes of a Conv node, of any number of spatial axes. */
function shapeOf(call: GradientCall<"Conv">): ConvolutionShape {
  const [batch = 1, channels = 1, ...image] = sizesOf(call.input(0));
  const [filters = 1, , ...window] = sizesOf(call.input(1));
  const [, , ...stops] = sizesOf(call.output(0));
  const axes = windowAxes(call, call.settings, { image, window, stops });
  return { batch, channels, filters, groups: call.settings.group, axes };
}

/** The sizes of the convolution that a ConvTranspose undoes: its image is the output, its maps are the input. */
function undoneShapeOf(call: GradientCall<"ConvTranspose">): ConvolutionShape {
  const [batch = 1, filters = 1, ...stops] = sizesOf(call.input(0));
  const [, , ...window] = sizesOf(call.input(1));
  const [, channels = 1, ...image] = sizesOf(call.output(0));
  const axes = transposedAxes(call, call.settings, { image, window, stops });
  return { batch, channels, filters, groups: call.settings.group, axes };
}

/** Sum over batch and image. Unpooling only spreads values among zeros, so what it spread sums to the same. */
function sumOverImages(math: GraphMath, dy: Value): Value {
  const maker = math.builder.nodes.findLast((node) => node.outputs.includes(dy));
  const spread = maker?.operator === "MaxUnpool" ? maker.inputs[0] : undefined;
  const axes = dy.shape.map((_, i) => i).filter((i) => i !== 1);
  return math.sum(spread ?? dy, axes);
}

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
  // y is what a convolution with the same kernel would have been made of: so dx is that convolution of dy, and for the
  // kernel dy is the image and x the gradient of the maps
  ConvTranspose: (call) => {
    const { math, dy } = call;
    const shape = undoneShapeOf(call);
    const { axes, groups } = shape;
    const dx = (): Value =>
      math.builder.op("Conv", [dy, call.input(1)], {
        strides: axes.map(({ stride }) => stride),
        dilations: axes.map(({ dilation }) => dilation),
        pads: padsOf(axes),
        group: groups,
      });
    return [
      call.needs(0) ? dx() : undefined,
      call.needs(1) ? kernelRecipes[kernelRecipe(shape)](math, dy, call.input(0), shape) : undefined,
      call.needs(2) ? sumOverImages(math, dy) : undefined,
    ];
  },
  // overlapping columns were added into an image: each column gets the window that it was added to
  Col2Im: (call) => {
    const { math, dy } = call;
    const [batch = 1, , places = 1] = sizesOf(call.input(0));
    const [, channels = 1, ...image] = sizesOf(dy);
    const window = call.ints(2);
    const unplaced = windowAxes(call, { ...call.settings, auto_pad: "NOTSET" }, { image, window, stops: image });
    const axes = unplaced.map((axis) => ({
      ...axis,
      stops: Math.floor(leftOver({ ...axis, stops: 1 }) / axis.stride) + 1,
    }));
    const rows = windowsOf(math, padded(math, dy, axes), axes).map((part) =>
      math.reshape(part, [batch, channels, 1, places]),
    );
    return [math.reshape(math.concat(rows, 2), [batch, channels * rows.length, places])];
  },
} satisfies Partial<GradientTable>;
