/** @file Language models of `llamaDecoder` blocks as GGUF, which llama.cpp serves. */
import { NnError } from "../errors.ts";
import type { ByteSink } from "../formats/byte-sink.ts";
import {
  type LlamaBlockWeights,
  type LlamaDescription,
  type LlamaModel,
  type LlamaTokenizer,
  type WriteLlamaOptions,
  writeLlamaGguf,
} from "../formats/gguf/index.ts";
import type { LayerSpec } from "../layers/layer.ts";
import type { Model } from "../model/model.ts";
import { shown } from "../schema/problems.ts";
import { chainOf, type Link } from "./chain.ts";
import { turned } from "./turned.ts";

/** How to write a language model. */
export interface ToLlamaGgufOptions extends WriteLlamaOptions {
  /** For people. "gristmill" when not said. */
  readonly name?: string;
  /** Most positions; the steps of the model's input, when it says how many they are. */
  readonly contextLength?: number;
  readonly tokenizer: LlamaTokenizer;
}

/**
 * Writes a language model: `embedding`, `llamaDecoder` blocks with the same settings, `rmsNormalization`, `dense` without a
 * bias (linear, or softmax: the file's logits are those before it); or `reversibleEmbedding` at both ends. `dropout` may
 * stand between. Where `maskZero` is set, token 0 must not be part of a text: llama.cpp knows no padding within one.
 * @throws NnError, SpecError saying what does not fit, before anything is written.
 */
export async function toLlamaGguf(sink: ByteSink, model: Model, options: ToLlamaGgufOptions): Promise<void> {
  await writeLlamaGguf(sink, llamaModel(model, options), options);
}

const where = "llama-style decoder";

/** The model's sizes and weights as the format has them; matrices are turned when they are written, one at a time. */
export function llamaModel(
  model: Model,
  { name = "gristmill", contextLength, tokenizer }: ToLlamaGgufOptions,
): LlamaModel {
  const { embedding, blocks, norm, output } = partsOf(model);
  const weights = new Map(model.getWeights().map((weight) => [weight.name, weight.value]));
  const data = (id: string): Float32Array => {
    const weight = weights.get(id);
    if (weight === undefined) throw new NnError(`${where}: expected a weight ${id}`);
    return weight.data;
  };
  const width = sizeOf(embedding.spec, "outputDim");
  const steps = contextLength ?? model.inputShape[0];
  if (typeof steps !== "number")
    throw new NnError(`${where}: expected contextLength, as the model takes any number of steps`);
  return {
    description: {
      name,
      contextLength: steps,
      ...describe(blocks, norm),
      width,
      vocabularySize: sizeOf(embedding.spec, "inputDim"),
    },
    tokenizer,
    weights: {
      embedding: data(`${embedding.name}/embeddings`),
      blocks: blocks.map((block) => blockWeights(block.name, width, data)),
      outputNorm: data(`${norm.name}/scale`),
      ...(output === undefined ? {} : { output: () => turned(data(`${output.name}/kernel`), width) }),
    },
  };
}

interface Parts {
  readonly embedding: Link;
  readonly blocks: readonly Link[];
  readonly norm: Link;
  /** Nothing when the embedding goes back. */
  readonly output: Link | undefined;
}

function partsOf(model: Model): Parts {
  const chain = chainOf(model).filter(({ spec }) => spec.type !== "dropout" && spec.type !== "inputLayer");
  const [embedding, ...rest] = chain;
  const last = rest.pop();
  const norm = rest.pop();
  const isTied = embedding?.spec.type === "reversibleEmbedding" && embedding.name === last?.name;
  const isOwn =
    (embedding?.spec.type === "embedding" || embedding?.spec.type === "reversibleEmbedding") &&
    last?.spec.type === "dense";
  const other = rest.find(({ spec }) => spec.type !== "llamaDecoder");
  if (
    embedding === undefined ||
    norm?.spec.type !== "rmsNormalization" ||
    !(isTied || isOwn) ||
    other !== undefined ||
    rest.length === 0
  )
    throw new NnError(
      `${where}: expected embedding, llamaDecoder blocks, rmsNormalization and dense (or reversibleEmbedding at both ends), received ${chain.map(({ spec }) => spec.type).join(", ")}`,
    );
  if (isTied) return { embedding, blocks: rest, norm, output: undefined };
  const { useBias, activation, units } = last?.spec ?? {};
  if (useBias !== false) throw new NnError(`${where}: expected ${last?.name} without a bias; llama has none`);
  if (activation !== "linear" && activation !== "softmax")
    throw new NnError(`${where}: expected ${last?.name} to be linear or softmax, received ${shown(activation)}`);
  if (units !== embedding.spec["inputDim"])
    throw new NnError(
      `${where}: expected ${last?.name} to have a logit for each of ${shown(embedding.spec["inputDim"])} tokens, received ${shown(units)}`,
    );
  return { embedding, blocks: rest, norm, output: last };
}

/** Settings of a block that the file holds once, for all. */
const shared = [
  "intermediateDim",
  "numHeads",
  "numKeyValueHeads",
  "headDim",
  "ropeBase",
  "ropeScaling",
  "ropeInterleaved",
  "epsilon",
];

function describe(
  blocks: readonly Link[],
  norm: Link,
): Omit<LlamaDescription, "name" | "contextLength" | "width" | "vocabularySize"> {
  const [first, ...others] = blocks;
  if (first === undefined) throw new NnError(`${where}: expected at least one llamaDecoder`);
  const { spec } = first;
  for (const other of others)
    for (const setting of shared)
      if (other.spec[setting] !== spec[setting])
        throw new NnError(
          `${where}: expected the same ${setting} in all blocks, received ${shown(spec[setting])} in ${first.name} and ${shown(other.spec[setting])} in ${other.name}`,
        );
  if (norm.spec["epsilon"] !== spec["epsilon"])
    throw new NnError(
      `${where}: expected the same epsilon everywhere, received ${shown(spec["epsilon"])} in ${first.name} and ${shown(norm.spec["epsilon"])} in ${norm.name}; set rmsNormalization's`,
    );
  const [heads, keyValueHeads, headWidth] = [sizeOf(spec, "numHeads"), spec["numKeyValueHeads"], spec["headDim"]];
  return {
    blocks: blocks.length,
    feedForwardWidth: sizeOf(spec, "intermediateDim"),
    heads,
    ...(typeof keyValueHeads === "number" ? { keyValueHeads } : {}),
    ...(typeof headWidth === "number" ? { headWidth } : {}),
    ropeBase: sizeOf(spec, "ropeBase"),
    ropeScaling: sizeOf(spec, "ropeScaling"),
    ropeLayout: spec["ropeInterleaved"] === true ? "interleaved" : "halves",
    normEpsilon: sizeOf(spec, "epsilon"),
  };
}

function sizeOf(spec: LayerSpec, setting: string): number {
  const value = spec[setting];
  if (typeof value !== "number")
    throw new NnError(`${where}: expected a number for ${setting} of ${spec.type}, received ${shown(value)}`);
  return value;
}

/** Keras' kernels are [inputs, outputs], heads side by side among them; the file's are [outputs, inputs]. */
function blockWeights(name: string, width: number, data: (id: string) => Float32Array): LlamaBlockWeights {
  const kernel = (id: string) => () => turned(data(`${name}/${id}/kernel`), width);
  const back = (id: string) => () => {
    const all = data(`${name}/${id}/kernel`);
    return turned(all, all.length / width);
  };
  return {
    attentionNorm: data(`${name}/self_attention_norm/scale`),
    query: kernel("self_attention/query"),
    key: kernel("self_attention/key"),
    value: kernel("self_attention/value"),
    attentionOutput: back("self_attention/attention_output"),
    feedForwardNorm: data(`${name}/feedforward_norm/scale`),
    gate: kernel("feedforward/gate"),
    up: kernel("feedforward/up"),
    down: back("feedforward/down"),
  };
}
