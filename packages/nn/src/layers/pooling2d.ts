/** @file What both pools share: settings, sizes, and the default stride, which is the pool's size. */
import { type Field, oneOf, sizePair } from "../schema/field.ts";
import type { CommonOptions } from "./layer.ts";
import type { SampleShape } from "./shape.ts";
import { type Padding, type Sliding, slide } from "./window.ts";

/** Settings of a pool beside its size. */
export interface Pooling2dOptions extends CommonOptions {
  /** The pool's size, when left out. */
  readonly strides?: number | readonly [number, number];
  readonly padding?: Padding;
}

const pair = sizePair();
/** null is "the pool's size", as Keras' None. */
const strides: Field<readonly [number, number] | null> = {
  expected: `${pair.expected}, or null for the pool's size`,
  fallback: null,
  read: (value, where, problems) => (value === null ? null : pair.read(value, where, problems)),
};

/** Fields of a pool. */
export const poolingFields = { poolSize: sizePair([2, 2]), strides, padding: oneOf(["valid", "same"], "valid") };

/** What the fields read. */
export interface PoolingConfig {
  readonly poolSize: readonly [number, number];
  readonly strides: readonly [number, number] | null;
  readonly padding: Padding;
}

/** Strides of a pool. */
export const poolStrides = ({ poolSize, strides }: PoolingConfig): readonly [number, number] => strides ?? poolSize;

/** Sizes and padding of a pool on an image. @throws ShapeError */
export const slidePool = (config: PoolingConfig, input: SampleShape, where: string): Sliding =>
  slide(
    input,
    { size: config.poolSize, strides: poolStrides(config), dilations: [1, 1], padding: config.padding },
    where,
  );
