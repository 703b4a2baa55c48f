import { ShapeError } from "@gristmill/onnx";
import type { Layer } from "../layer.ts";
import { defineComposite } from "../network-layer.ts";
import { formatSample } from "../shape.ts";
import {
  assertHeads,
  type BlockOptions,
  blockAttention,
  blockFields,
  feedForward,
  residual,
  widthOf,
} from "./block.ts";

/** The table's entry of `transformerDecoder`. */
export const transformerDecoderKind = defineComposite({
  type: "transformerDecoder",
  fields: blockFields,
  inputs: [1, 2],
  checkShapes({ numHeads }, [input = [], memory], where) {
    assertHeads(numHeads, input, where);
    if (memory !== undefined && memory.length !== 2)
      throw new ShapeError(where, `expected an encoder's answer of [steps, width], received ${formatSample(memory)}`);
  },
  compose(config, [x, memory]) {
    if (x === undefined) throw new Error("transformerDecoder: composed without an input");
    const self = blockAttention("self_attention", widthOf(x), config, true);
    const attended = residual(x, "self_attention", config, (input) => self.apply(input));
    if (memory === undefined) return residual(attended, "feedforward", config, feedForward(config));
    // positions of another sequence say nothing about how far apart two steps are
    const cross = blockAttention("cross_attention", widthOf(x), { ...config, rotary: null }, false);
    const crossed = residual(attended, "cross_attention", config, (input) => cross.apply([input, memory]));
    return residual(crossed, "feedforward", config, feedForward(config));
  },
});

/**
 * A decoder's block: causal attention of a sequence to itself, attention to an encoder's answer where there is one, then
 * two dense layers for each step, each added to what came in and normalized.
 *
 * - Inputs: `apply(x)`, or `apply([x, encoded])`.
 * - Shapes: x [batch, T, width], encoded [batch, S, any width] → [batch, T, width]; heads divide the width.
 * - Weights: self_attention/... (multiHeadAttention), self_attention_norm/..., cross_attention/..., cross_attention_norm/...,
 *   feedforward_intermediate/..., feedforward_output/..., feedforward_norm/....
 * - Defaults: as those of `transformerEncoder`; `rotary` turns the attention to itself alone.
 * - Masks: masked steps of either input are looked at by none; the mask of x is handed on.
 * - Source: Vaswani et al. 2017, arXiv:1706.03762.
 */
export const transformerDecoder = (intermediateDim: number, numHeads: number, options: BlockOptions = {}): Layer =>
  transformerDecoderKind.make({ intermediateDim, numHeads, ...options });
