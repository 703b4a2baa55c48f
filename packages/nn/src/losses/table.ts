/** @file Every loss by the name that specs use. A new one is a file and a line here. */
import type { KindTable } from "../schema/kind.ts";
import { binaryCrossentropy } from "./binary-crossentropy.ts";
import { categoricalCrossentropy } from "./categorical-crossentropy.ts";
import type { Loss } from "./loss.ts";
import { meanSquaredError } from "./mean-squared-error.ts";
import { sparseCategoricalCrossentropy } from "./sparse-categorical-crossentropy.ts";

/** Every loss. */
export const losses = {
  sparseCategoricalCrossentropy,
  categoricalCrossentropy,
  binaryCrossentropy,
  meanSquaredError,
} satisfies KindTable<Loss>;

/** The name of a loss. */
export type LossName = keyof typeof losses;
