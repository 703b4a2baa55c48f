/** @file Kinds of parts, items and tools that are refused by their name. */
import { z } from "zod";

/** Takes the kind and refuses it, so that the failure says why and not that the kind is unknown. */
export const refusedPart = <T extends string>(type: T, reason: string) =>
  z.looseObject({ type: z.literal(type) }).refine(() => false, {
    message: `not supported: ${reason}`,
    params: { code: "unsupported_parameter" },
  });
