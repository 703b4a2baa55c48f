import { defineKind } from "../schema/kind.ts";
import { elementwise } from "./activation.ts";

/** y = tanh(x) */
export const tanh = defineKind("tanh", {}, () => elementwise(({ builder }, x) => builder.op("Tanh", [x])));
