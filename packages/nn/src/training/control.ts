/** @file What callbacks may do to a training, and what it keeps for them from save to resume. */
import type { Json } from "../schema/field.ts";
import type { EpochResult, History, Progress } from "./history.ts";

/** A training as its callbacks see it. */
export interface TrainingControl {
  /** Epochs that are done, counted as results count them: the number of the last one. */
  readonly epoch: number;
  /** True when there is validation data, even if not after every epoch. */
  readonly validates: boolean;
  /** Optimizer steps taken by the model. */
  readonly step: number;
  /** What the learning rate is multiplied by; kept in checkpoints. */
  rateFactor: number;
  /** Ends the training after this epoch. */
  stop(reason: string): void;
  /** What this callback has remembered, in this training or the one that it resumes. */
  recall(): Json | undefined;
  /** Keeps something for this callback; checkpoints hold it. */
  remember(value: Json): void;
  /** Keeps a copy of all weights for this callback; checkpoints hold it. */
  keepWeights(): void;
  /** Puts the kept weights back. Does nothing where none are kept. */
  restoreWeights(): void;
  /** The model as one file, as `model.save()`: what every callback before this one remembers is in it. */
  save(): Uint8Array<ArrayBuffer>;
  /** Numbers of all weights, as kept: for looking at. */
  weights(): readonly (readonly [name: string, values: Float32Array])[];
}

/**
 * Something that follows a training: stops it, saves it, logs it.
 *
 * What must survive a resume goes through `remember`; everything else may live in the callback. Callbacks run in the order
 * they are given, each awaited.
 */
export interface Callback {
  /** Unique among the callbacks of a training: what it remembers is kept under this name. */
  readonly name: string;
  onTrainBegin?(control: TrainingControl): void | Promise<void>;
  /** After each run of the program, about five times a second. */
  onRunEnd?(progress: Progress, control: TrainingControl): void | Promise<void>;
  onEpochEnd?(result: EpochResult, control: TrainingControl): void | Promise<void>;
  /** Also after an error or abort, then without a history. */
  onTrainEnd?(history: History | undefined, control: TrainingControl): void | Promise<void>;
}

/** What a training keeps for its callbacks. */
export interface Memory {
  /** By callback. */
  readonly notes: Map<string, Json>;
  /** Copies of weights, as kept, by callback and weight. */
  readonly weights: Map<string, ReadonlyMap<string, Float32Array<ArrayBuffer>>>;
}

/** Nothing kept yet. */
export const emptyMemory = (): Memory => ({ notes: new Map(), weights: new Map() });
