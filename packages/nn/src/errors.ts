/** @file What goes wrong with networks, in few classes. Every message says where, what was expected and received, and how to mend it. */

/** A network used wrongly: not compiled, busy, data that doesn't fit. */
export class NnError extends Error {
  override readonly name: string = "NnError";
}

/** One thing that is wrong: where (`layers[2] (conv2d_1).filters`), and what was expected and received. */
export interface Problem {
  readonly where: string;
  readonly message: string;
}

/** A description (of a model, an optimizer, a loss ...) with at least one problem; all of them are listed. */
export class SpecError extends NnError {
  override readonly name = "SpecError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ where, message }) => `${where}: ${message}`).join("\n"));
    this.problems = problems;
  }
}

/** Data whose shape, element type or count does not fit the model. */
export class DataError extends NnError {
  override readonly name = "DataError";
}

/** Bytes that are not a saved model of this package, or a damaged one. */
export class CheckpointError extends NnError {
  override readonly name = "CheckpointError";
}

/** Training went to infinity: the model has the weights of its last good epoch again. */
export class NonFiniteLossError extends NnError {
  override readonly name = "NonFiniteLossError";
  /** From 1. */
  readonly epoch: number;
  /** Step of that epoch, from 1. */
  readonly step: number;
  /** What to try. */
  readonly advice: string;

  /** `data`: what in the step's samples is no finite number. */
  constructor(what: { epoch: number; step: number; loss: number; data?: string | undefined }) {
    const advice =
      what.data !== undefined
        ? `${what.data}; leave such samples out or fill them in`
        : "lower the learning rate (a tenth is a good first try), scale the inputs to about [-1, 1], and look for NaN or Infinity in the data";
    super(`epoch ${what.epoch}, step ${what.step}: expected a finite loss, received ${what.loss}; ${advice}`);
    this.epoch = what.epoch;
    this.step = what.step;
    this.advice = advice;
  }
}
