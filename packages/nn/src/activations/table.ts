/** @file Every activation by the name that specs use. A new one is a file and a line here. */
import type { KindTable } from "../schema/kind.ts";
import type { Activation } from "./activation.ts";
import { celu, elu, exponential, selu } from "./exponential-units.ts";
import { gelu, glu, hardSilu, mish, silu } from "./gates.ts";
import { linear } from "./linear.ts";
import { leakyRelu, relu, relu6, threshold } from "./relu.ts";
import { hardShrink, softShrink } from "./shrink.ts";
import { hardSigmoid, logSigmoid, sigmoid, sparseSigmoid } from "./sigmoid.ts";
import { logSoftmax, softmax, sparsemax } from "./softmax.ts";
import { softplus, sparsePlus, squareplus } from "./softplus.ts";
import { hardTanh, softsign, tanh, tanhShrink } from "./tanh.ts";

/** Every activation. */
export const activations = {
  linear,
  relu,
  relu6,
  leakyRelu,
  threshold,
  elu,
  selu,
  celu,
  exponential,
  gelu,
  silu,
  hardSilu,
  mish,
  glu,
  sigmoid,
  hardSigmoid,
  sparseSigmoid,
  logSigmoid,
  tanh,
  hardTanh,
  tanhShrink,
  softsign,
  softplus,
  squareplus,
  sparsePlus,
  hardShrink,
  softShrink,
  softmax,
  logSoftmax,
  sparsemax,
} satisfies KindTable<Activation>;

/** The name of an activation. */
export type ActivationName = keyof typeof activations;
