import { GgufError } from "@gristmill/gguf";
import { FileFormatError } from "../format-error.ts";

/** Throws what the format's own package says in the words of this one, where all formats have one class of error. */
export function asFormatError(error: unknown): never {
  if (error instanceof GgufError) throw new FileFormatError(error.where, error.problem, { cause: error });
  throw error;
}
