import { defineKind } from "../schema/kind.ts";
import { alongChannels } from "./activation.ts";

/** y = exp(x) / sum(exp(x)) along the last axis. */
export const softmax = defineKind("softmax", {}, () =>
  alongChannels(({ builder }, x) => builder.op("Softmax", [x], { axis: -1 })),
);
