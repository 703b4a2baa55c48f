/** @file What servers of OpenAI's API do each in a way of its own, as one table. */

/** Whose server it is. */
export type DialectName = "openai" | "vllm" | "sglang" | "llama-server";

/** What differs. */
export interface Dialect {
  /** Fields that hold an answer to a grammar of llama.cpp's notation; undefined: it can't. */
  readonly grammar: ((grammar: string) => Readonly<Record<string, unknown>>) | undefined;
  /** It takes further variables of the model's template. */
  readonly hasTemplateVariables: boolean;
  /** How tokens are counted without generating; undefined: it tells no counts. */
  readonly tokenCount: "vllm" | "llama-server" | undefined;
  readonly rerankScores: "probability" | "logit";
}

/** vLLM's and SGLang's grammars (xgrammar, llguidance) read llama.cpp's notation. */
export const dialects: Readonly<Record<DialectName, Dialect>> = {
  openai: { grammar: undefined, hasTemplateVariables: false, tokenCount: undefined, rerankScores: "probability" },
  vllm: {
    grammar: (grammar) => ({ structured_outputs: { grammar } }),
    hasTemplateVariables: true,
    tokenCount: "vllm",
    rerankScores: "probability",
  },
  sglang: {
    grammar: (ebnf) => ({ ebnf }),
    hasTemplateVariables: true,
    tokenCount: "vllm",
    rerankScores: "probability",
  },
  "llama-server": {
    grammar: (grammar) => ({ grammar }),
    hasTemplateVariables: true,
    tokenCount: "llama-server",
    rerankScores: "logit",
  },
};

/** All of them. */
export const dialectNames = Object.keys(dialects) as readonly DialectName[];

/** What servers write as the owner of a model in their list. */
const owners: Readonly<Record<string, DialectName>> = { vllm: "vllm", sglang: "sglang", llamacpp: "llama-server" };

/** Whose server lists a model so; "openai" when it can't be told. */
export const dialectOfOwner = (ownedBy: string | undefined): DialectName =>
  (ownedBy === undefined ? undefined : owners[ownedBy]) ?? "openai";
