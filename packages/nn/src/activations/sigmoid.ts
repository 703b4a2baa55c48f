import { defineKind } from "../schema/kind.ts";
import { elementwise } from "./activation.ts";

/** y = 1 / (1 + exp(-x)) */
export const sigmoid = defineKind("sigmoid", {}, () => elementwise(({ builder }, x) => builder.op("Sigmoid", [x])));
