/** @file Every optimizer by the name that specs use. A new one is a file and a line here. */
import type { KindTable } from "../schema/kind.ts";
import { adamKind } from "./adam.ts";
import type { Optimizer } from "./optimizer.ts";
import { sgdKind } from "./sgd.ts";

/** Every optimizer. */
export const optimizers = { sgd: sgdKind, adam: adamKind } satisfies KindTable<Optimizer>;

/** The name of an optimizer. */
export type OptimizerName = keyof typeof optimizers;
