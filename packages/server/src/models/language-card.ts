/** @file What the front of a GGUF file says of its model. Pure: a thread of its own reads the file and calls this. */
import type { LanguageModel } from "@gristmill/contract";
import { type GgufHeader, vocabularyProblems } from "@gristmill/gguf";

/** A file that can't be served, in words for its sender. */
export class CardRefusal extends Error {
  override readonly name = "CardRefusal";
  readonly details: Readonly<Record<string, unknown>>;

  constructor(where: string, problem: string, details: Readonly<Record<string, unknown>> = { where }) {
    super(`${where}: ${problem}`);
    this.details = details;
  }
}

const mostNumber = 2 ** 31 - 1;

/** What is known of a file's weights. */
export type Weights = Pick<LanguageModel, "parameters" | "quantization">;

/** `weights`: of a file of another format; left out, they follow the front. @throws CardRefusal that says where. */
export function languageCard(header: GgufHeader, weights?: Weights): LanguageModel {
  checkKind(header);
  const problems = vocabularyProblems(header.metadata);
  const [first] = problems;
  if (first !== undefined)
    throw new CardRefusal(first.where, first.message, {
      problems: problems.map(({ where, message }) => ({ where, message })),
      count: problems.length,
    });
  const architecture = textOf(header, "general.architecture") ?? "";
  const tokens = header.metadata.get("tokenizer.ggml.tokens");
  const vocabularySize = tokens?.type === "array" ? tokens.value.values.length : 0;
  if (vocabularySize === 0)
    throw new CardRefusal("tokenizer.ggml.tokens", "expected the tokens of a vocabulary, found none");
  return {
    name: textOf(header, "general.name") ?? null,
    architecture,
    ...(weights ?? weightsOf(header)),
    context_length: countOf(header, `${architecture}.context_length`),
    embedding_length: countOf(header, `${architecture}.embedding_length`),
    vocabulary_size: vocabularySize,
    tokenizer: textOf(header, "tokenizer.ggml.model") ?? "",
    chat_template: (textOf(header, "tokenizer.chat_template") ?? "") !== "",
  };
}

/** GGUF also carries what is no whole model. */
function checkKind(header: GgufHeader): void {
  const architecture = textOf(header, "general.architecture");
  if (architecture === undefined || !/^[a-z0-9][a-z0-9_.-]{0,63}$/i.test(architecture))
    throw new CardRefusal("general.architecture", 'expected the name of an architecture, such as "llama"');
  const type = textOf(header, "general.type");
  const isModel = (type === undefined || type === "model") && architecture !== "clip";
  if (!isModel)
    throw new CardRefusal("general.type", `expected a whole model, received ${JSON.stringify(type ?? architecture)}`);
  const parts = header.metadata.get("split.count")?.value;
  if (typeof parts === "number" && parts > 1)
    throw new CardRefusal(
      "split.count",
      `expected one file, received one of ${parts}: join them with llama-gguf-split --merge`,
    );
}

/** How many weights there are, and the type that most of them have. */
function weightsOf({ tensors }: GgufHeader): Weights {
  if (tensors.size === 0) throw new CardRefusal("tensors", "expected weights, found none");
  const byType = new Map<string, number>();
  let parameters = 0;
  for (const { type, shape } of tensors.values()) {
    const elements = shape.reduce((product, axis) => product * axis, 1);
    parameters += elements;
    byType.set(type, (byType.get(type) ?? 0) + elements);
  }
  const [most] = [...byType].toSorted(([, a], [, b]) => b - a);
  return { parameters, quantization: most?.[0] ?? "" };
}

function textOf({ metadata }: GgufHeader, key: string): string | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== "string") throw new CardRefusal(key, `expected a text, received ${entry.type}`);
  // PostgreSQL has no place for U+0000, and nobody a use.
  if (entry.value.includes("\0")) throw new CardRefusal(key, "expected a text without U+0000");
  return entry.value;
}

function countOf({ metadata }: GgufHeader, key: string): number {
  const value = metadata.get(key)?.value;
  const count = typeof value === "bigint" ? Number(value) : value;
  if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > mostNumber)
    throw new CardRefusal(key, "expected a whole number from 1 to 2^31 - 1");
  return count;
}
