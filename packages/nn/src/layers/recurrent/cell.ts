/** @file What a recurrent layer does in one step, apart from how the steps are walked. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import type { ConfigOf, Fields } from "../../schema/field.ts";
import type { Problems } from "../../schema/problems.ts";
import type { LayerScope, Parameter } from "../layer.ts";

/** From the states before a step and what enters it to the states after it; the first of them is the step's answer. */
export type CellStep = (math: GraphMath, states: readonly Value[], entering: Value) => readonly Value[];

/** A value that goes from step to step, one row [size] for each sample. */
export interface CellState {
  /** "h", "c" */
  readonly name: string;
  readonly size: number;
}

/** A recurrent layer's arithmetic. */
export interface Cell<F extends Fields> {
  /** The layer's type. */
  readonly type: string;
  readonly fields: F;
  /** Settings that are each right and together wrong. */
  check?(config: ConfigOf<F>, where: string, problems: Problems): void;
  /** The first is the layer's answer. */
  states(config: ConfigOf<F>): readonly CellState[];
  /** In Keras' order, for steps of so many features. */
  parameters(config: ConfigOf<F>, features: number): readonly Parameter[];
  /**
   * What of a step depends on no state, for all steps at once: x [steps, batch, features] to [steps, batch, any]. One
   * large product here is several times faster than a small one in each step.
   */
  project(config: ConfigOf<F>, scope: LayerScope, x: Value): Value;
  /** Reads the weights, and gives the step. The weights are captured by the loop; their gradients are made behind it. */
  step(config: ConfigOf<F>, scope: LayerScope, like: Value): CellStep;
}
