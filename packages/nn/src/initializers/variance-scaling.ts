/** @file The initializers that keep a signal's variance through a layer: Glorot (2010), LeCun (1998), He (2015). */
import { uniformAt } from "../random/hash.ts";
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

type Mode = "fanIn" | "average";
const variance = (shape: readonly number[], scale: number, mode: Mode): number => {
  const { fanIn, fanOut } = fans(shape);
  return scale / Math.max(1, mode === "fanIn" ? fanIn : (fanIn + fanOut) / 2);
};

const uniform = (type: string, scale: number, mode: Mode) =>
  defineKind(
    type,
    {},
    (): Initializer => (shape, key) => {
      const limit = Math.sqrt(3 * variance(shape, scale, mode));
      return fill(shape, (i) => (2 * uniformAt(key, i) - 1) * limit);
    },
  );

const normal = (type: string, scale: number, mode: Mode) =>
  defineKind(
    type,
    {},
    (): Initializer => (shape, key) => {
      const deviation = Math.sqrt(variance(shape, scale, mode)) / truncatedDeviation;
      return fill(shape, (i) => deviation * truncatedNormalAt(key, i));
    },
  );

/** Uniform within ±sqrt(6 / (fanIn + fanOut)): the default of dense and convolution kernels. */
export const glorotUniform = uniform("glorotUniform", 1, "average");
/** Truncated normal of variance 2 / (fanIn + fanOut). */
export const glorotNormal = normal("glorotNormal", 1, "average");
/** Uniform within ±sqrt(6 / fanIn): for relu. */
export const heUniform = uniform("heUniform", 2, "fanIn");
/** Truncated normal of variance 2 / fanIn: for relu. */
export const heNormal = normal("heNormal", 2, "fanIn");
/** Uniform within ±sqrt(3 / fanIn). */
export const lecunUniform = uniform("lecunUniform", 1, "fanIn");
/** Truncated normal of variance 1 / fanIn. */
export const lecunNormal = normal("lecunNormal", 1, "fanIn");
