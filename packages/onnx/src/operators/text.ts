/** @file Operators on strings. */
import { formatShape } from "../shape.ts";
import { optional, preset, required } from "./attribute.ts";
import { operator } from "./operator.ts";
import { broadcasting, take, takeRank } from "./rules.ts";

/** Strings: joined, cut, cleaned, counted. */
export const text = {
  StringConcat: operator({
    since: 20,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: {},
    infer: broadcasting(["string"]),
  }),
  /** Outputs: the parts of each string, filled up with "" [..., most parts], and their number (int64). */
  StringSplit: operator({
    since: 20,
    inputs: [1, 1],
    outputs: [2, 2],
    attributes: { delimiter: optional("string"), maxsplit: optional("int") },
    infer: (call) => {
      const { shape } = take(call, 0, ["string"]);
      return [
        { dtype: "string", shape: [...shape, call.fresh("parts")] },
        { dtype: "int64", shape },
      ];
    },
  }),
  /** True where the whole string matches `pattern` (RE2). */
  RegexFullMatch: operator({
    since: 20,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { pattern: required("string") },
    infer: (call) => [{ dtype: "bool", shape: take(call, 0, ["string"]).shape }],
  }),
  /** Changes case and drops stop words, from [count] or [1, count]. */
  StringNormalizer: operator({
    since: 10,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: {
      case_change_action: preset("string", "NONE"),
      is_case_sensitive: preset("int", 0),
      locale: optional("string"),
      stopwords: optional("strings"),
    },
    infer: (call) => {
      const x = take(call, 0, ["string"]);
      const shape = takeRank(call, x, 1, 2);
      if (call.attributes.stopwords === undefined) return [{ dtype: "string", shape }];
      return [{ dtype: "string", shape: [...shape.slice(0, -1), call.fresh("kept")] }];
    },
  }),
  /** Counts of n-grams: [count] or [batch, count] of words (or their numbers) to [entries] or [batch, entries]. */
  TfIdfVectorizer: operator({
    since: 9,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: {
      max_gram_length: required("int"),
      max_skip_count: required("int"),
      min_gram_length: required("int"),
      mode: required("string"),
      ngram_counts: required("ints"),
      ngram_indexes: required("ints"),
      pool_int64s: optional("ints"),
      pool_strings: optional("strings"),
      weights: optional("floats"),
    },
    infer: (call) => {
      const x = take(call, 0, ["string", "int32", "int64"]);
      const shape = takeRank(call, x, 1, 2);
      const entries = call.attributes.ngram_indexes.reduce((most, index) => Math.max(most, index + 1), 0);
      if (entries === 0) throw call.shapeError("entries in ngram_indexes", formatShape(call.attributes.ngram_indexes));
      return [{ dtype: "float32", shape: [...shape.slice(0, -1), entries] }];
    },
  }),
};
