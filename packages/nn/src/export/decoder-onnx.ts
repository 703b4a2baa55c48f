/** @file Language models of `llamaDecoder` blocks as ONNX, which remembers what it has read and brings its vocabulary along. */
import { frontKey, frontToText, writeGgufHeader } from "@gristmill/gguf";
import { model as asModel, type Model as OnnxModel } from "@gristmill/onnx";
import { llamaFront } from "../formats/gguf/llama/write-llama.ts";
import type { Model } from "../model/model.ts";
import { type DecoderLogits, decoderGraph } from "./decoder-graph.ts";
import { llamaModel, type ToLlamaGgufOptions } from "./llama-gguf.ts";

/** How to write a language model as ONNX. */
export interface ToDecoderOnnxOptions extends Pick<ToLlamaGgufOptions, "name" | "contextLength" | "tokenizer"> {
  /** Of which of the tokens that a run reads there are logits; "last" when not said, as that is what writing needs. */
  readonly logits?: DecoderLogits;
}

/**
 * A language model, of the layers that `toLlamaGguf` takes, as a graph that remembers.
 *
 * - Inputs: `input_ids`, `position_ids` int64 [batch, sequence]; `attention_mask` int64 [batch, past + sequence], 0 for
 *   places that nobody looks at; `past_key_values.N.key` and `.value` float32 [batch, key heads, past, head size], past 0 at
 *   the start.
 * - Outputs: `logits` float32 [batch, 1, vocabulary], or one for each token that was read; `present.N.key` and `.value`,
 *   the past of the next run.
 * - Metadata: sizes, tokenizer and chat template, as packages/gguf's `frontToText` writes them.
 * - Source of the names: Hugging Face Optimum's exported decoders.
 * @throws NnError, SpecError saying what does not fit.
 */
export async function toDecoderOnnx(model: Model, options: ToDecoderOnnxOptions): Promise<OnnxModel> {
  const llama = llamaModel(model, options);
  const { description, metadata } = llamaFront(llama, "F32");
  const front = writeGgufHeader({ metadata, tensors: [] });
  return asModel(await decoderGraph(description, llama.weights, options.logits ?? "last"), {
    metadata: { [frontKey]: frontToText(front.bytes) },
  });
}
