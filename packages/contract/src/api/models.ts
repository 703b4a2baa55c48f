/** @file The registry: models and their immutable versions. */
import { z } from "zod";
import { timestamp } from "./common.ts";
import { metricValues } from "./runs.ts";

/** Element type and sizes of an input or output; -1 is a size that varies. */
export const tensorSignature = z.object({ name: z.string(), dtype: z.string(), shape: z.array(z.number().int()) });
export type TensorSignature = z.infer<typeof tensorSignature>;

/** What a version was made from and how good it is. */
export const modelCard = z.object({
  dataset: z
    .object({
      id: z.string(),
      name: z.string(),
      version: z.number().int(),
      sha256: z.string(),
      licence: z.string().nullable(),
    })
    .nullable(),
  spec: z.record(z.string(), z.unknown()),
  compile: z.record(z.string(), z.unknown()),
  fit: z.record(z.string(), z.unknown()),
  metrics: metricValues,
  training_seconds: z.number(),
  parameters: z.number().int(),
  environment: z.record(z.string(), z.string()),
  /** How raw values become the input tensor, in words; null: not known, as for imported files. */
  preprocessing: z.string().nullable(),
  notes: z.string().nullable(),
});
export type ModelCard = z.infer<typeof modelCard>;

/** How bytes of an image become the model's input, and outputs become labels. */
export const imageClassification = z.object({
  task: z.literal("image-classification"),
  height: z.number().int(),
  width: z.number().int(),
  channels: z.number().int(),
  scale: z.number(),
  class_names: z.array(z.string()),
});
export type ImageClassification = z.infer<typeof imageClassification>;

/** What a language model's file says of it. */
export const languageModel = z.object({
  /** For people; null: the file has none. */
  name: z.string().nullable(),
  /** "llama", "bert" …: llama.cpp's name. */
  architecture: z.string(),
  parameters: z.number().int(),
  /** How most of its weights are kept: "Q8_0". */
  quantization: z.string(),
  /** Tokens that it was trained for. */
  context_length: z.number().int(),
  /** Length of a token's vector. */
  embedding_length: z.number().int(),
  vocabulary_size: z.number().int(),
  /** llama.cpp's name of the kind: "gpt2", "llama". */
  tokenizer: z.string(),
  /** It says how a chat becomes its prompt. */
  chat_template: z.boolean(),
});
export type LanguageModel = z.infer<typeof languageModel>;

/** How the file of a version is written: a graph, which may be a language model, or a language model of llama.cpp. */
export const modelFormat = z.enum(["onnx", "gguf"]);
export type ModelFormat = z.infer<typeof modelFormat>;

export const modelVersion = z.object({
  id: z.string(),
  object: z.literal("model.version"),
  model_id: z.string(),
  model: z.string(),
  version: z.number().int(),
  format: modelFormat,
  sha256: z.string(),
  size_bytes: z.number().int(),
  /** Empty for language models. */
  inputs: z.array(tensorSignature),
  outputs: z.array(tensorSignature),
  task: imageClassification.nullable(),
  /** What a language model says of itself; null: it is none. */
  language: languageModel.nullable(),
  run_id: z.string().nullable(),
  card: modelCard,
  created_at: timestamp,
});
export type ModelVersion = z.infer<typeof modelVersion>;

export const model = z.object({
  id: z.string(),
  object: z.literal("model"),
  project_id: z.string(),
  name: z.string(),
  latest_version: z.number().int(),
  created_at: timestamp,
});
export type Model = z.infer<typeof model>;
