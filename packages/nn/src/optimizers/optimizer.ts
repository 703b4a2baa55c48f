/** @file What an optimizer is: a pure pair. `slots` says what it remembers of each weight, `update` writes one step. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** One weight in the graph of a step. */
export interface UpdateScope {
  readonly math: GraphMath;
  readonly weight: Value;
  readonly gradient: Value;
  /** What the optimizer remembers of this weight, each of the weight's shape. */
  readonly slots: Readonly<Record<string, Value>>;
  /** This step's scalars. */
  readonly scalars: Readonly<Record<string, Value>>;
}

/** A weight and its memory after a step. */
export interface Updated {
  readonly weight: Value;
  readonly slots: Readonly<Record<string, Value>>;
}

/** An optimizer. The training loop owns all state. */
export interface Optimizer {
  /** Names of what it remembers of each weight; all start at 0. */
  readonly slots: readonly string[];
  /** float32 scalars of a step, counted from 1: the learning rate, and what depends on the count. */
  scalars(step: number): Readonly<Record<string, number>>;
  update(scope: UpdateScope): Updated;
}
