/** @file The tensors that training changes, and how far it came. */
import type { Memory } from "./control.ts";

/** float32 arrays as kept, by id. */
export type StateArrays = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

/** What training reads and changes. After every run, and after an error, it is that of the last finished run. */
export interface TrainingState {
  arrays: StateArrays;
  /** Optimizer steps taken. */
  step: number;
  /** Epochs trained. */
  epoch: number;
  /** What callbacks have made of the learning rate: it is multiplied by this. */
  rateFactor: number;
  /** What callbacks remember. */
  memory: Memory;
}

/** A copy of each array. */
export const copyState = (state: StateArrays): StateArrays =>
  new Map([...state].map(([id, data]) => [id, Float32Array.from(data)]));

/** Arrays of zeros of the same lengths. */
export const emptyLike = (state: StateArrays): StateArrays =>
  new Map([...state].map(([id, data]) => [id, new Float32Array(data.length)]));

/** The id of the first array with NaN or an infinity. */
export function firstNonFinite(state: StateArrays): string | undefined {
  for (const [id, data] of state) for (const value of data) if (!Number.isFinite(value)) return id;
  return undefined;
}
