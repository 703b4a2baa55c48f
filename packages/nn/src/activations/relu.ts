import { defineKind } from "../schema/kind.ts";
import { elementwise } from "./activation.ts";

/** y = max(x, 0) */
export const relu = defineKind("relu", {}, () => elementwise(({ builder }, x) => builder.op("Relu", [x])));
