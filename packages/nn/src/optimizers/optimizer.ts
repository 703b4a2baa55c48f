/**
 * @file What an optimizer is: a pure pair. `slots` says what it remembers of a weight, `update` writes one step for all
 * weights. Pairs chain: each gets what the one before made of the gradients, and what the last one makes is taken off the weights.
 */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** A tensor that an optimizer remembers of a weight. */
export interface SlotSpec {
  /** Unique in its optimizer: "momentum". */
  readonly name: string;
  readonly shape: readonly number[];
  /** What it is before the first step: a number everywhere, or the weight's own first values. */
  readonly start: number | "weight";
}

/** One weight in the graph of a step. */
export interface Moving {
  /** "dense_1/kernel" */
  readonly id: string;
  readonly weight: Value;
  /** Its gradient, or what the transforms before this one made of it; of the weight's shape. */
  readonly gradient: Value;
  /** What this optimizer remembers of it. */
  readonly slots: Readonly<Record<string, Value>>;
}

/** One step of all weights that train. */
export interface StepScope {
  readonly math: GraphMath;
  readonly weights: readonly Moving[];
  /** This step's scalars. */
  readonly scalars: Readonly<Record<string, Value>>;
}

/** What becomes of one weight. */
export interface Moved {
  /** What is taken off the weight (or handed to the next transform), of its shape. */
  readonly move: Value;
  readonly slots: Readonly<Record<string, Value>>;
}

/** An optimizer, or a part of one. The training loop owns all state. */
export interface Optimizer {
  /** What it remembers of a weight of this shape (the shape it is kept in). */
  slots(shape: readonly number[]): readonly SlotSpec[];
  /**
   * float32 scalars of a step, counted from 1: the learning rate, and what depends on the count.
   * `rateFactor`: what callbacks have made of the learning rate so far (1 when nothing); it multiplies it.
   */
  scalars(step: number, rateFactor: number): Readonly<Record<string, number>>;
  /** The learning rate of a step, counted from 1, for people to read. */
  rate?(step: number, rateFactor: number): number;
  /** One answer per weight, in their order. */
  update(scope: StepScope): readonly Moved[];
}

/** Slots of the weight's own shape that start at 0. */
export const zeroSlots = (shape: readonly number[], ...names: readonly string[]): readonly SlotSpec[] =>
  names.map((name) => ({ name, shape, start: 0 }));

/** A slot or scalar that an optimizer has asked for. */
export function asked(values: Readonly<Record<string, Value>>, name: string): Value {
  const value = values[name];
  if (value === undefined) throw new Error(`optimizer: "${name}", which it asked for, is missing`);
  return value;
}
