/** @file What a layer is: settings, the shapes it makes, the weights it wants, and its forward graph. No state, no randomness. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import type { Json } from "../schema/field.ts";
import type { KindSpec } from "../schema/kind.ts";
import type { Features } from "./features.ts";
import type { SampleShape } from "./shape.ts";
import type { Storage } from "./storage.ts";

/** A tensor that a layer keeps from step to step. */
export interface Parameter {
  /** Unique in its layer: "kernel", "bias"; "query/kernel" inside a part of it. */
  readonly name: string;
  /** Keras' shape. */
  readonly shape: readonly number[];
  readonly initializer: KindSpec;
  /** Added to the loss while training. */
  readonly regularizer?: KindSpec | undefined;
  /**
   * "weight" (when left out): the optimizer moves it. "statistic": the layer updates it while training, such as a moving
   * mean. "state": the layer updates it in every run, such as the memory of a stateful recurrent layer.
   */
  readonly role?: "weight" | "statistic" | "state";
  /** The optimizer leaves it alone: the layer, or one around it, is frozen. */
  readonly frozen?: boolean;
}

/** What a layer may use while it writes its forward graph. */
export interface LayerScope {
  readonly math: GraphMath;
  /** Where the layer is: "encoder_1/dense_1". */
  readonly path: string;
  /** True in the graph that trains: dropout drops only there. Every size is known there. */
  readonly training: boolean;
  /** False in a frozen layer: batch normalization then keeps its statistics. */
  readonly trainable: boolean;
  /** The parameter of a declared name, kept as `storage` says (as declared, when left out). */
  weight(name: string, storage?: Storage): Value;
  /** Says what a "statistic" or "state" is after this run; of the shape that `weight` gave. */
  update(name: string, next: Value): void;
  /** Adds a scalar to what is trained for. */
  addLoss(loss: Value): void;
  /** A uint32 scalar that differs for every (seed, step, place, purpose); only while training. */
  randomKey(purpose?: string): Value;
  /** The scope of a part of this layer: its parameters are "part/kernel". `trainable` false freezes it. */
  inside(part: string, trainable?: boolean): LayerScope;
}

/** A layer of a model. */
export interface Layer {
  readonly type: string;
  /** Given by the caller; the model names the others. */
  readonly name: string | undefined;
  /** Sizes of one sample that enters; on the first layer it is the model's. */
  readonly inputShape: SampleShape | undefined;
  /** What a first layer wants to be fed: whole numbers for an embedding. */
  readonly inputDtype?: "float32" | "int32";
  /** False when the optimizer leaves its weights alone. */
  readonly trainable: boolean;
  /** Every setting, as JSON. */
  readonly config: Readonly<Record<string, Json>>;
  /**
   * Sizes of one sample of each output.
   * @throws ShapeError when `inputs` do not fit: names the layer (`where`), expected and received.
   */
  outputShapes(inputs: readonly SampleShape[], where: string): readonly SampleShape[];
  /** The tensors it keeps for samples of these sizes, in Keras' order. */
  parameters(inputs: readonly SampleShape[]): readonly Parameter[];
  /** First values of a parameter in place of its initializer's, as shown; for layers that bring their weights along. */
  firstValue?(parameter: string): Float32Array | undefined;
  /** Writes the forward graph. */
  build(scope: LayerScope, inputs: readonly Features[]): readonly Features[];
  /** The layer's only output on symbolic tensors. @throws ShapeError, NnError when it has several. */
  apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor;
  /** All of the layer's outputs on symbolic tensors. @throws ShapeError */
  applyAll(inputs: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[];
}

/** One layer in JSON. */
export type LayerSpec = { readonly type: string; readonly [setting: string]: Json };

/** Settings that every layer takes. */
export interface CommonOptions {
  /** Letters, digits, `_`, `-` and `.`; unique in the model. */
  readonly name?: string;
  /** Sizes of one sample that enters, on the first layer. */
  readonly inputShape?: SampleShape;
  /** False: the optimizer leaves its weights alone. */
  readonly trainable?: boolean;
}

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
