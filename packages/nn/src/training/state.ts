/** @file The tensors that training changes, and how far it came. */

/** float32 arrays as kept, by id. */
export type StateArrays = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

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
