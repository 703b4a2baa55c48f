/** @file Every regularizer by the name that specs use. A new one is a file and a line here. */
import type { KindTable } from "../schema/kind.ts";
import { l1, l1L2, l2 } from "./norms.ts";
import { orthogonalRegularizer } from "./orthogonal.ts";
import type { Regularizer } from "./regularizer.ts";

/** Every regularizer. */
export const regularizers = { l1, l2, l1L2, orthogonalRegularizer } satisfies KindTable<Regularizer>;

/** The name of a regularizer. */
export type RegularizerName = keyof typeof regularizers;
