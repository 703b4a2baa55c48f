/** @file What is wrong with the vocabulary of a file before llama.cpp sees it: it ends the whole process where it could refuse. */
import { shown } from "./errors.ts";
import type { GgufValue } from "./value.ts";

/** One thing that is wrong with a vocabulary: the key and the entry, and what was expected and received. */
export interface GgufProblem {
  readonly where: string;
  readonly message: string;
}

/** The 256 byte tokens of a vocabulary with byte fallback: `<0x00>` to `<0xFF>`. */
export const byteTokens: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
);

/** Keys whose value is the number of a token. */
const idKeys = ["bos", "eos", "unknown", "padding", "seperator", "mask", "eot"].map(
  (name) => `tokenizer.ggml.${name}_token_id`,
);
const mostProblems = 20;

/**
 * What is wrong with a file's vocabulary; empty when nothing is, or there is none. Tokens said twice (llama.cpp aborts
 * the process on them), empty tokens, lists of other lengths, numbers of tokens that are not there, byte fallback
 * without byte tokens, merges of parts that are no tokens. At most 20 problems, then a line that says how many more.
 */
export function vocabularyProblems(metadata: ReadonlyMap<string, GgufValue>): readonly GgufProblem[] {
  const kind = metadata.get("tokenizer.ggml.model");
  const list = metadata.get("tokenizer.ggml.tokens");
  if (kind === undefined && list === undefined) return [];
  if (kind?.value === "none" || kind?.value === "no_vocab") return [];
  const tokens = texts(list);
  if (tokens === undefined) return [{ where: "tokenizer.ggml.tokens", message: "expected a list of texts" }];
  const known = new Set(tokens);
  const problems = [
    ...tokenProblems(tokens),
    ...lengthProblems(metadata, tokens.length),
    ...idProblems(metadata, tokens.length),
    ...(kind?.value === "llama" ? fallbackProblems(known) : []),
    ...(kind?.value === "gpt2" ? mergeProblems(metadata, known) : []),
  ];
  if (problems.length <= mostProblems) return problems;
  return [
    ...problems.slice(0, mostProblems),
    { where: "tokenizer", message: `${problems.length - mostProblems} more problems` },
  ];
}

function texts(entry: GgufValue | undefined): readonly string[] | undefined {
  return entry?.type === "array" && entry.value.of === "string" ? entry.value.values : undefined;
}

function tokenProblems(tokens: readonly string[]): GgufProblem[] {
  const first = new Map<string, number>();
  const problems: GgufProblem[] = [];
  for (const [id, token] of tokens.entries()) {
    const where = `tokenizer.ggml.tokens[${id}]`;
    const before = first.get(token);
    if (token === "") problems.push({ where, message: "expected a text, received an empty one" });
    else if (before !== undefined)
      problems.push({
        where,
        message: `expected each token once, received ${shown(token)}, which is token ${before} too`,
      });
    else first.set(token, id);
  }
  return problems;
}

function lengthProblems(metadata: ReadonlyMap<string, GgufValue>, count: number): GgufProblem[] {
  return ["scores", "token_type"].flatMap((name) => {
    const where = `tokenizer.ggml.${name}`;
    const entry = metadata.get(where);
    if (entry === undefined) return [];
    const length = entry.type === "array" ? entry.value.values.length : undefined;
    return length === count
      ? []
      : [{ where, message: `expected a list as long as the tokens, ${count}, received ${length ?? "no list"}` }];
  });
}

function idProblems(metadata: ReadonlyMap<string, GgufValue>, count: number): GgufProblem[] {
  return idKeys.flatMap((where) => {
    const id = metadata.get(where)?.value;
    const isToken = typeof id === "number" && Number.isInteger(id) && id >= 0 && id < count;
    return id === undefined || isToken
      ? []
      : [{ where, message: `expected the number of a token, 0 to ${count - 1}, received ${shown(id)}` }];
  });
}

/** What no token covers is spelled in bytes; without byte tokens llama.cpp throws from where nothing catches. */
function fallbackProblems(known: ReadonlySet<string>): GgufProblem[] {
  const missing = byteTokens.filter((token) => !known.has(token));
  if (missing.length === 0) return [];
  return [
    {
      where: "tokenizer.ggml.tokens",
      message: `expected all 256 byte tokens <0x00> to <0xFF>, ${missing.length} are missing, the first ${missing[0]}`,
    },
  ];
}

function mergeProblems(metadata: ReadonlyMap<string, GgufValue>, known: ReadonlySet<string>): GgufProblem[] {
  const merges = texts(metadata.get("tokenizer.ggml.merges"));
  if (merges === undefined)
    return [
      { where: "tokenizer.ggml.merges", message: "expected a list of texts, one for each merge, which may be empty" },
    ];
  return merges.flatMap((merge, i) => {
    const parts = merge.split(" ");
    const [left, right] = parts;
    const isMerge =
      parts.length === 2 &&
      left !== undefined &&
      right !== undefined &&
      known.has(left) &&
      known.has(right) &&
      known.has(left + right);
    return isMerge
      ? []
      : [
          {
            where: `tokenizer.ggml.merges[${i}]`,
            message: `expected two tokens, with one space between, whose union is a token, received ${shown(merge)}`,
          },
        ];
  });
}
