/**
 * @file The functional way to write a model: layers are applied to symbolic tensors, which know their sizes and where
 * they come from, and hold no numbers.
 */

import { NnError } from "../errors.ts";
import type { Layer, SymbolicTensor } from "../layers/layer.ts";
import { formatSample, type SampleShape } from "../layers/shape.ts";

/** Declares an input. `dtype` is float32 when left out. */
export function input(options: {
  readonly shape: SampleShape;
  readonly name?: string;
  readonly dtype?: "float32" | "int32";
}): SymbolicTensor {
  const { shape, name, dtype = "float32" } = options;
  const isGood = Array.isArray(shape) && shape.every((size) => size === null || (Number.isInteger(size) && size > 0));
  if (!isGood)
    throw new NnError(
      `input: expected shape to be sizes of one sample such as [28, 28, 1] or [null, 8], received ${JSON.stringify(shape)}`,
    );
  return { shape: [...shape], from: { input: { ...(name === undefined ? {} : { name }), shape: [...shape], dtype } } };
}

/** All outputs of a layer on these tensors. @throws ShapeError when they do not fit: names the layer, expected and received. */
export function applyLayer(layer: Layer, inputs: readonly SymbolicTensor[]): readonly SymbolicTensor[] {
  const shapes = layer.outputShapes(
    inputs.map(({ shape }) => shape),
    layer.name ?? layer.type,
  );
  const call = { layer, inputs, outputCount: shapes.length };
  return shapes.map((shape, output) => ({ shape, from: { call, output } }));
}

/** The only output of a layer on these tensors. @throws NnError when it has several. */
export function applyOne(layer: Layer, inputs: readonly SymbolicTensor[]): SymbolicTensor {
  const [first, ...others] = applyLayer(layer, inputs);
  if (first === undefined || others.length > 0)
    throw new NnError(
      `${layer.name ?? layer.type}: expected one output, received ${others.length + (first === undefined ? 0 : 1)} (${[first, ...others].map((one) => (one === undefined ? "" : formatSample(one.shape))).join(", ")}); use applyAll`,
    );
  return first;
}

export type { InputDtype, InputSpec, LayerCall, SymbolicTensor } from "../layers/layer.ts";
