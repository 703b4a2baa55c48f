import { defineKind } from "../schema/kind.ts";
import type { Activation } from "./activation.ts";

/** y = x */
export const linear = defineKind("linear", {}, (): Activation => (_, input) => input);
