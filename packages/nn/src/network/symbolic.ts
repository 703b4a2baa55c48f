/**
 * @file The functional way to write a model: layers are applied to symbolic tensors, which know their sizes and where
 * they come from, and hold no numbers.
 */

import { NnError } from "../errors.ts";
import type { Layer } from "../layers/layer.ts";
import { formatSample, type SampleShape } from "../layers/shape.ts";

/** Element type of what a model is fed: numbers, or whole numbers such as tokens. */
export type InputDtype = "float32" | "int32";

/** What enters a model. */
export interface InputSpec {
  /** Unique in the model; "input" when it is the only one and has no name. */
  readonly name?: string;
  /** Sizes of one sample; null for sizes that differ from batch to batch. */
  readonly shape: SampleShape;
  readonly dtype: InputDtype;
}

/** One use of a layer; a layer that is used twice shares its weights. */
export interface LayerCall {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputCount: number;
}

/** A value of a model that is being written: an input, or an output of a layer's use. */
export interface SymbolicTensor {
  /** Sizes of one sample. */
  readonly shape: SampleShape;
  /** Where it comes from: an input's declaration, or the use of a layer and which of its outputs. */
  readonly from: { readonly input: InputSpec } | { readonly call: LayerCall; readonly output: number };
}

/** Declares an input. `dtype` is float32 when left out. */
export function input(options: {
  readonly shape: SampleShape;
  readonly name?: string;
  readonly dtype?: InputDtype;
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
