/** @file What normalizations learn: a gain (gamma) and an offset (beta) for each place. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { type RegularizerOption, regularizerField } from "../../regularizers/field.ts";
import { flag } from "../../schema/field.ts";
import type { KindSpec } from "../../schema/kind.ts";
import type { CommonOptions, Parameter } from "../layer.ts";

/** Fields of gain and offset, with Keras' defaults. */
export const gainFields = {
  center: flag(true),
  scale: flag(true),
  betaInitializer: initializerField("zeros"),
  gammaInitializer: initializerField("ones"),
  betaRegularizer: regularizerField(),
  gammaRegularizer: regularizerField(),
};

/** Settings of gain and offset. */
export interface GainOptions extends CommonOptions {
  /** False: no offset beta. */
  readonly center?: boolean;
  /** False: no gain gamma. */
  readonly scale?: boolean;
  readonly betaInitializer?: InitializerOption;
  readonly gammaInitializer?: InitializerOption;
  readonly betaRegularizer?: RegularizerOption;
  readonly gammaRegularizer?: RegularizerOption;
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
