/** @file Every loss by the name that specs use. A new one is a file and a line here. */
import type { KindTable } from "../schema/kind.ts";
import { binaryCrossentropy } from "./binary-crossentropy.ts";
import { categoricalCrossentropy } from "./categorical-crossentropy.ts";
import { circle } from "./circle.ts";
import { cosineSimilarity } from "./cosine-similarity.ts";
import { ctc } from "./ctc/ctc.ts";
import { klDivergence, poisson } from "./distributions.ts";
import { binaryFocalCrossentropy, categoricalFocalCrossentropy } from "./focal-crossentropy.ts";
import { categoricalGeneralizedCrossEntropy } from "./generalized-crossentropy.ts";
import { categoricalHinge, hinge, squaredHinge } from "./hinge.ts";
import type { Loss } from "./loss.ts";
import { meanAbsoluteError, meanAbsolutePercentageError, meanSquaredLogarithmicError } from "./mean-errors.ts";
import { meanSquaredError } from "./mean-squared-error.ts";
import { dice, tversky } from "./overlap.ts";
import { huber, logCosh } from "./robust-errors.ts";
import { sparseCategoricalCrossentropy } from "./sparse-categorical-crossentropy.ts";

/** Every loss. */
export const losses = {
  sparseCategoricalCrossentropy,
  categoricalCrossentropy,
  binaryCrossentropy,
  categoricalFocalCrossentropy,
  binaryFocalCrossentropy,
  categoricalGeneralizedCrossEntropy,
  klDivergence,
  poisson,
  meanSquaredError,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredLogarithmicError,
  huber,
  logCosh,
  cosineSimilarity,
  hinge,
  squaredHinge,
  categoricalHinge,
  dice,
  tversky,
  circle,
  ctc,
} satisfies KindTable<Loss>;

/** The name of a loss. */
export type LossName = keyof typeof losses;
