/** @file Values that several of OpenAI's requests take, with their bounds. */
import { z } from "zod";

/** Deepest JSON inside of a request: far more than a schema needs, far less than a stack has. */
const maxDepth = 100;
/** Characters of one text: the body's limit comes first for most. */
const maxText = 20_000_000;

/** Text without halves of surrogate pairs, which no UTF-8 has. */
export const wellFormed = z
  .string()
  .max(maxText)
  .refine((text) => text.isWellFormed(), "expected text without lone surrogates");

/** A finite number in a range. */
export const numberIn = (low: number, high: number) => z.number().min(low).max(high);

/** A whole number in a range. */
export const integerIn = (low: number, high: number) => z.number().int().min(low).max(high);

/** Any JSON object, not too deep. */
export const jsonObject = z
  .record(z.string(), z.unknown())
  .refine((value) => isShallow(value), `expected JSON of at most ${maxDepth} levels`);

/** Without recursion: that is what the bound is for. */
function isShallow(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return false;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return true;
}

/** The name of a function, a schema or who speaks. */
export const shortName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "expected 1 to 64 of a-z, A-Z, 0-9, '_', '-'");

/** A deployment's name, or `name@revision`. */
export const modelName = z.string().min(1).max(80);

/** Token numbers of a vocabulary. */
export const tokenList = z
  .array(integerIn(0, 2 ** 31 - 1))
  .min(1)
  .max(1_000_000);

/** One to four texts. */
export const stopTexts = z.union([wellFormed.min(1).max(1000), z.array(wellFormed.min(1).max(1000)).max(4)]);

/** Biases by token number. */
export const logitBias = z
  .record(z.string().regex(/^\d{1,10}$/, "expected a token's number"), numberIn(-100, 100))
  .refine((biases) => Object.keys(biases).length <= 1024, "expected at most 1024 tokens");

/** What a stream tells beside its answer. */
export const streamOptions = z.strictObject({
  include_usage: z.boolean().optional(),
  /** Padding against guessing at lengths; taken only when it asks for none. */
  include_obfuscation: z.literal(false).optional(),
});

/** Up to 16 pairs of text. */
export const metadata = z
  .record(z.string().max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, "expected at most 16 pairs");

/** A stable name of the caller's own user. */
export const userName = z.string().max(512);
