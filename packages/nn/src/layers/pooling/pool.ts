/** @file What pools share: settings, sizes, and the default stride, which is the pool's size. */
import { oneOf } from "../../schema/field.ts";
import type { CommonOptions } from "../layer.ts";
import type { SampleShape } from "../shape.ts";
import { optionalSizes, sizes } from "../spatial/fields.ts";
import { type Padding, type Rank, type Sliding, slide } from "../spatial/window.ts";

/** A number for every axis, or one for each. */
export type PoolSize = number | readonly number[];

/** Settings of a pool beside its size. */
export interface PoolingOptions extends CommonOptions {
  /** The pool's size, when left out. */
  readonly strides?: PoolSize;
  readonly padding?: "valid" | "same";
}

/** Fields of a pool. */
export const poolingFields = (rank: Rank) => ({
  poolSize: sizes(rank, 2),
  strides: optionalSizes(rank),
  padding: oneOf<Padding>(["valid", "same"], "valid"),
});

/** What the fields read. */
export interface PoolingConfig {
  readonly poolSize: readonly number[];
  readonly strides: readonly number[] | null;
  readonly padding: Padding;
}

/** Strides of a pool. */
export const poolStrides = ({ poolSize, strides }: PoolingConfig): readonly number[] => strides ?? poolSize;

/** Sizes and padding of a pool. @throws ShapeError */
export const slidePool = (config: PoolingConfig, rank: Rank, input: SampleShape, where: string): Sliding =>
  slide(
    input,
    rank,
    {
      size: config.poolSize,
      strides: poolStrides(config),
      dilations: config.poolSize.map(() => 1),
      padding: config.padding,
    },
    where,
  );
