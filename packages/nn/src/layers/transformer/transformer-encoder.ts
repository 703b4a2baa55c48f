import { flag } from "../../schema/field.ts";
import type { Layer } from "../layer.ts";
import { defineComposite } from "../network-layer.ts";
import {
  assertHeads,
  type BlockOptions,
  blockAttention,
  blockFields,
  feedForward,
  residual,
  widthOf,
} from "./block.ts";

/** The table's entry of `transformerEncoder`. */
export const transformerEncoderKind = defineComposite({
  type: "transformerEncoder",
  fields: { ...blockFields, useCausalMask: flag(false) },
  checkShapes({ numHeads }, [input = []], where) {
    assertHeads(numHeads, input, where);
  },
  compose(config, [x]) {
    if (x === undefined) throw new Error("transformerEncoder: composed without an input");
    const attention = blockAttention("self_attention", widthOf(x), config, config.useCausalMask);
    const attended = residual(x, "self_attention", config, (input) => attention.apply(input));
    return residual(attended, "feedforward", config, feedForward(config));
  },
});

/** Settings of `transformerEncoder`. */
export interface TransformerEncoderOptions extends BlockOptions {
  /** True: a step looks at itself and those before it alone, as a language model's steps do. */
  readonly useCausalMask?: boolean;
}

/**
 * A block of a transformer: attention of a sequence to itself, then two dense layers for each step, each added to what
 * came in and normalized.
 *
 * - Shapes: x [batch, steps, width] → y the same; heads divide the width.
 * - Weights: self_attention/... (multiHeadAttention), self_attention_norm/..., feedforward_intermediate/...,
 *   feedforward_output/..., feedforward_norm/....
 * - Defaults: `dropout` 0, `activation` relu, `layerNormEpsilon` 1e-5, `normalizeFirst` false, `useCausalMask` false,
 *   `rotary` null, kernels glorotUniform, biases zeros.
 * - Masks: masked steps are looked at by none; the mask is handed on.
 * - Source: Vaswani et al. 2017, arXiv:1706.03762; `normalizeFirst`: Xiong et al. 2020, arXiv:2002.04745.
 */
export const transformerEncoder = (
  intermediateDim: number,
  numHeads: number,
  options: TransformerEncoderOptions = {},
): Layer => transformerEncoderKind.make({ intermediateDim, numHeads, ...options });
