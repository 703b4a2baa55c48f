/** @file The order of samples in an epoch: a function of (seed, epoch) alone. */
import { keyOf, wordAt } from "./hash.ts";

const purpose = 0x5f; // keeps the order apart from other uses of the same seed

/** The numbers 0 to count - 1 in the order of this seed and epoch (Fisher and Yates). */
export function shuffledOrder(count: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const key = keyOf(seed, purpose, epoch);
  for (let i = count - 1; i > 0; i--) {
    // multiply and shift instead of a remainder: a bias below count / 2^32
    const j = Math.floor((wordAt(key, i) / 2 ** 32) * (i + 1));
    const moved = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = moved;
  }
  return order;
}
