/** @file What normalizations learn: a gain (gamma) and an offset (beta) for each place. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { initializers } from "../../initializers/table.ts";
import { regularizers } from "../../regularizers/table.ts";
import { flag } from "../../schema/field.ts";
import { type KindSpec, kindField, optionalKindField } from "../../schema/kind.ts";
import type { CommonOptions, Parameter } from "../layer.ts";

/** Fields of gain and offset, with Keras' defaults. */
export const gainFields = {
  center: flag(true),
  scale: flag(true),
  betaInitializer: kindField(initializers, "an initializer", "zeros"),
  gammaInitializer: kindField(initializers, "an initializer", "ones"),
  betaRegularizer: optionalKindField(regularizers, "a regularizer"),
  gammaRegularizer: optionalKindField(regularizers, "a regularizer"),
};

/** Settings of gain and offset. */
export interface GainOptions extends CommonOptions {
  /** False: no offset beta. */
  readonly center?: boolean;
  /** False: no gain gamma. */
  readonly scale?: boolean;
  readonly betaInitializer?: string | KindSpec;
  readonly gammaInitializer?: string | KindSpec;
  readonly betaRegularizer?: string | KindSpec | null;
  readonly gammaRegularizer?: string | KindSpec | null;
}

interface GainConfig {
  readonly center: boolean;
  readonly scale: boolean;
  readonly betaInitializer: KindSpec;
  readonly gammaInitializer: KindSpec;
  readonly betaRegularizer: KindSpec | null;
  readonly gammaRegularizer: KindSpec | null;
}

/** Gain and offset of these sizes, those that are wanted, in Keras' order. */
export function gainParameters(config: GainConfig, shape: readonly number[]): readonly Parameter[] {
  const { gammaInitializer, gammaRegularizer, betaInitializer, betaRegularizer } = config;
  const gamma = { name: "gamma", shape, initializer: gammaInitializer, regularizer: gammaRegularizer ?? undefined };
  const beta = { name: "beta", shape, initializer: betaInitializer, regularizer: betaRegularizer ?? undefined };
  return [...(config.scale ? [gamma] : []), ...(config.center ? [beta] : [])];
}

/** `x * gamma + beta`, with those that there are. */
export function applyGain(math: GraphMath, x: Value, gamma: Value | undefined, beta: Value | undefined): Value {
  const scaled = gamma === undefined ? x : math.mul(x, gamma);
  return beta === undefined ? scaled : math.add(scaled, beta);
}
