/** @file Cases of spectra, strings, random numbers and losses. */
import { dtypeCode } from "../../dtype.ts";
import { tensor } from "../../tensor.ts";
import type { loss } from "../losses.ts";
import type { drawing } from "../random.ts";
import type { signal } from "../signal.ts";
import type { text } from "../text.ts";
import { type Case, type CasesOf, f, fed, fixed, type Given, of } from "./case.ts";

const scalar = (value: number): Given => fixed("int64", [], value);
const windows = <O extends "HannWindow" | "HammingWindow" | "BlackmanWindow">(): readonly [Case<O>, ...Case<O>[]] =>
  [
    { note: "periodic", inputs: [scalar(10)] },
    {
      note: "symmetric, float64",
      inputs: [scalar(7)],
      attributes: { periodic: 0, output_datatype: dtypeCode("float64") },
    },
    { note: "a fed length", open: 1, inputs: [of("int64", [], 6)] },
  ] as unknown as readonly [Case<O>, ...Case<O>[]];

/** Cases of `signal.ts`. */
export const signalCases: CasesOf<typeof signal> = {
  HannWindow: windows(),
  HammingWindow: windows(),
  BlackmanWindow: windows(),
  DFT: [
    { note: "real", inputs: [f(2, 8, 1)] },
    { note: "one side", inputs: [f(2, 8, 1)], attributes: { onesided: 1 } },
    { note: "backwards", inputs: [f(2, 8, 2)], attributes: { inverse: 1 } },
    { note: "back from one side", inputs: [f(2, 5, 2)], attributes: { inverse: 1, onesided: 1 } },
    { note: "another axis, padded", inputs: [f(2, 6, 5, 1), scalar(8), scalar(1)] },
  ],
  STFT: [
    { note: "a window", inputs: [f(2, 64, 1), scalar(8), { ...f(16), fixed: true }] },
    { note: "a length", inputs: [f(1, 64, 1), scalar(8), undefined, scalar(16)], attributes: { onesided: 0 } },
  ],
  MelWeightMatrix: [
    {
      note: "8 bins",
      inputs: [scalar(8), scalar(16), scalar(8192), fixed("float32", [], 0), fixed("float32", [], 4096)],
    },
  ],
};

const words = (shape: readonly number[], ...list: string[]): Given => ({
  tensor: tensor("string", shape, list),
  fixed: false,
});
const grams = {
  max_gram_length: 2,
  max_skip_count: 0,
  min_gram_length: 1,
  mode: "TF",
  ngram_counts: [0, 2],
  ngram_indexes: [0, 1, 2],
  pool_int64s: [2, 3, 5, 4],
};

/** Cases of `text.ts`. */
export const textCases: CasesOf<typeof text> = {
  StringConcat: [{ note: "stretched", inputs: [words([2, 1], "a", "b"), words([2], "x", "y")] }],
  StringSplit: [
    {
      note: "at spaces",
      open: 1,
      inputs: [words([2], "a b c", "d")],
      outputs: 2,
    },
  ],
  RegexFullMatch: [{ note: "digits", inputs: [words([2], "12", "a")], attributes: { pattern: "[0-9]+" } }],
  StringNormalizer: [
    { note: "case only", inputs: [words([2], "Ab", "c")], attributes: { case_change_action: "UPPER", locale: "C" } },
    {
      note: "stop words",
      open: 1,
      inputs: [words([1, 3], "a", "b", "a")],
      attributes: { stopwords: ["a"], is_case_sensitive: 1 },
      numbersOnly: "only a batch of 1 is allowed",
    },
  ],
  TfIdfVectorizer: [
    { note: "a list", inputs: [of("int32", [6], 2, 3, 5, 4, 2, 9)], attributes: grams },
    { note: "a batch", inputs: [of("int64", [2, 3], 2, 3, 5, 4, 2, 9)], attributes: grams },
  ],
};

/** Cases of `random.ts`. */
export const drawingCases: CasesOf<typeof drawing> = {
  RandomNormal: [{ note: "a matrix", inputs: [], attributes: { shape: [2, 3] } }],
  RandomUniform: [{ note: "float64", inputs: [], attributes: { shape: [2, 3], dtype: dtypeCode("float64") } }],
  RandomNormalLike: [{ note: "the input's type", inputs: [f(2, 3)], attributes: { seed: 1 } }],
  RandomUniformLike: [
    { note: "the input's type", inputs: [f(2, 3)], attributes: { seed: 1 } },
    { note: "float64", inputs: [fed("int64", 2, 3)], attributes: { dtype: 11, high: 2, low: 1 } },
  ],
  Bernoulli: [
    { note: "the input's type", inputs: [f(2, 3)] },
    { note: "bool", inputs: [f(2, 3)], attributes: { dtype: dtypeCode("bool") } },
  ],
  Multinomial: [
    { note: "one draw", inputs: [f(2, 3)] },
    { note: "int64", inputs: [f(2, 3)], attributes: { dtype: dtypeCode("int64"), sample_size: 5 } },
  ],
};

const targets = of("int64", [2], 0, 2);

/** Cases of `losses.ts`. */
export const lossCases: CasesOf<typeof loss> = {
  NegativeLogLikelihoodLoss: [
    { note: "mean", inputs: [f(2, 3), targets] },
    { note: "none, weighted", inputs: [f(2, 3), targets, { ...f(3), fixed: true }], attributes: { reduction: "none" } },
    {
      note: "pixels, one ignored",
      inputs: [f(2, 3, 2), of("int32", [2, 2], 0, 2, 1, 1)],
      attributes: { reduction: "none", ignore_index: 1 },
    },
  ],
  SoftmaxCrossEntropyLoss: [
    { note: "mean", inputs: [f(2, 3), targets] },
    {
      note: "none, both outputs",
      inputs: [f(2, 3, 2), of("int64", [2, 2], 0, 2, 1, 1)],
      attributes: { reduction: "none" },
      outputs: 2,
    },
  ],
};
