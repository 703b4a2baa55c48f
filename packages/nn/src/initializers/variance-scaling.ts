/** @file The initializers that keep a signal's variance through a layer: Glorot (2010), LeCun (1998), He (2015). */
import { normalAt, uniformAt } from "../random/hash.ts";
import { oneOf, positive } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { fill, type Initializer } from "./initializer.ts";
import { truncatedNormalAt } from "./random.ts";

/** Standard deviation of a standard normal that is cut off at 2. */
const truncatedDeviation = 0.87962566103423978;

/** Values that one output sums over (in) and outputs that one input reaches (out). Keras: kernels are [...window, in, out]. */
export function fans(shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  const [only = 1] = shape;
  if (shape.length < 2) return { fanIn: only, fanOut: only };
  const window = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return { fanIn: window * (shape.at(-2) ?? 1), fanOut: window * (shape.at(-1) ?? 1) };
}

/** What the variance is divided by. */
const modes = ["fanIn", "fanOut", "fanAvg"] as const;
const distributions = ["truncatedNormal", "untruncatedNormal", "uniform"] as const;

interface Scaling {
  readonly scale: number;
  readonly mode: (typeof modes)[number];
  readonly distribution: (typeof distributions)[number];
}

const drawn: { readonly [D in Scaling["distribution"]]: (deviation: number, key: number, i: number) => number } = {
  truncatedNormal: (deviation, key, i) => (deviation / truncatedDeviation) * truncatedNormalAt(key, i),
  untruncatedNormal: (deviation, key, i) => deviation * normalAt(key, i),
  uniform: (deviation, key, i) => (2 * uniformAt(key, i) - 1) * Math.sqrt(3) * deviation,
};

const scaled =
  ({ scale, mode, distribution }: Scaling): Initializer =>
  (shape, key) => {
    const { fanIn, fanOut } = fans(shape);
    const fan = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[mode];
    const deviation = Math.sqrt(scale / Math.max(1, fan));
    return fill(shape, (i) => drawn[distribution](deviation, key, i));
  };

/**
 * Mean 0 and variance `scale / fan`.
 *
 * - `mode`: "fanIn" (the default), "fanOut" or "fanAvg", their mean. `scale` 1.
 * - `distribution`: "truncatedNormal" (the default: cut at two deviations and widened, so that the variance holds),
 *   "untruncatedNormal" or "uniform".
 */
export const varianceScaling = defineKind(
  "varianceScaling",
  { scale: positive(1), mode: oneOf(modes, "fanIn"), distribution: oneOf(distributions, "truncatedNormal") },
  scaled,
);

const named = (type: string, scaling: Scaling) => defineKind(type, {}, () => scaled(scaling));

/** Uniform within ±sqrt(6 / (fanIn + fanOut)): the default of dense and convolution kernels. */
export const glorotUniform = named("glorotUniform", { scale: 1, mode: "fanAvg", distribution: "uniform" });
/** Truncated normal of variance 2 / (fanIn + fanOut). */
export const glorotNormal = named("glorotNormal", { scale: 1, mode: "fanAvg", distribution: "truncatedNormal" });
/** Uniform within ±sqrt(6 / fanIn): for relu. */
export const heUniform = named("heUniform", { scale: 2, mode: "fanIn", distribution: "uniform" });
/** Truncated normal of variance 2 / fanIn: for relu. */
export const heNormal = named("heNormal", { scale: 2, mode: "fanIn", distribution: "truncatedNormal" });
/** Uniform within ±sqrt(3 / fanIn). */
export const lecunUniform = named("lecunUniform", { scale: 1, mode: "fanIn", distribution: "uniform" });
/** Truncated normal of variance 1 / fanIn. */
export const lecunNormal = named("lecunNormal", { scale: 1, mode: "fanIn", distribution: "truncatedNormal" });
