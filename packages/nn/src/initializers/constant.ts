import { anyNumber } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { fill, type Initializer } from "./initializer.ts";

/** All 0. */
export const zeros = defineKind("zeros", {}, (): Initializer => (shape) => fill(shape, () => 0));

/** All 1. */
export const ones = defineKind("ones", {}, (): Initializer => (shape) => fill(shape, () => 1));

/** All `value` (0). */
export const constant = defineKind(
  "constant",
  { value: anyNumber(0) },
  ({ value }): Initializer =>
    (shape) =>
      fill(shape, () => value),
);
