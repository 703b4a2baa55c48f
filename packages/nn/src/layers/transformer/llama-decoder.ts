import { ShapeError } from "@gristmill/onnx";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import type { SymbolicTensor } from "../../network/symbolic.ts";
import { flag, fraction, positive, size } from "../../schema/field.ts";
import { groupedQueryAttention } from "../attention/grouped-query-attention.ts";
import { optionalNumber } from "../core/optional-number.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { add } from "../merge/add.ts";
import { defineComposite } from "../network-layer.ts";
import { dropout } from "../noise/dropout.ts";
import { rmsNormalization } from "../normalization/rms-normalization.ts";
import { formatSample, knownSize } from "../shape.ts";
import { swiGlu } from "./swi-glu.ts";

const isSize = (value: number): boolean => Number.isInteger(value) && value >= 1 && value < 2 ** 31;

/** The table's entry of `llamaDecoder`. */
export const llamaDecoderKind = defineComposite({
  type: "llamaDecoder",
  fields: {
    intermediateDim: size(),
    numHeads: size(),
    numKeyValueHeads: optionalNumber("a whole number from 1", isSize),
    headDim: optionalNumber("a whole number from 1", isSize),
    ropeBase: positive(10_000),
    ropeScaling: positive(1),
    ropeInterleaved: flag(false),
    epsilon: positive(1e-5),
    dropout: fraction(0),
    kernelInitializer: initializerField("glorotUniform"),
  },
  check({ numHeads, numKeyValueHeads, headDim }, where, problems) {
    if (numKeyValueHeads !== null && numHeads % numKeyValueHeads !== 0)
      problems.add(
        `${where}.numKeyValueHeads`,
        `expected a divisor of numHeads ${numHeads}, received ${numKeyValueHeads}`,
      );
    if (headDim !== null && headDim % 2 !== 0)
      problems.add(`${where}.headDim`, `expected an even number, received ${headDim}: rotary positions turn pairs`);
  },
  checkShapes({ numHeads, headDim }, [input = []], where) {
    if (input.length !== 2)
      throw new ShapeError(where, `expected samples of [steps, width], received ${formatSample(input)}`);
    const width = knownSize(input, -1, where);
    if (headDim === null && width % (2 * numHeads) !== 0)
      throw new ShapeError(
        where,
        `expected a width that ${numHeads} heads of an even size divide, received ${formatSample(input)}; or set headDim`,
      );
  },
  compose(config, [x]) {
    if (x === undefined) throw new Error("llamaDecoder: composed without an input");
    const { numHeads, numKeyValueHeads, headDim, kernelInitializer, dropout: rate } = config;
    const rotary = { base: config.ropeBase, scaling: config.ropeScaling, interleaved: config.ropeInterleaved };
    const size = headDim ?? (x.shape.at(-1) ?? 1) / numHeads;
    const attention = groupedQueryAttention(size, numHeads, numKeyValueHeads ?? numHeads, {
      useBias: false,
      useCausalMask: true,
      dropout: rate,
      rotary,
      kernelInitializer,
      name: "self_attention",
    });
    const attended = residual(x, "self_attention", config, attention);
    return residual(
      attended,
      "feedforward",
      config,
      swiGlu(config.intermediateDim, { kernelInitializer, name: "feedforward" }),
    );
  },
});

/** Normalize, compute, drop, add to what came in. */
function residual(
  x: SymbolicTensor,
  name: string,
  { epsilon, dropout: rate }: { readonly epsilon: number; readonly dropout: number },
  part: Layer,
): SymbolicTensor {
  const made = part.apply(rmsNormalization({ epsilon, name: `${name}_norm` }).apply(x));
  const kept = rate === 0 ? made : dropout(rate, { name: `${name}_dropout` }).apply(made);
  return add({ name: `${name}_add` }).apply([x, kept]);
}

/** Settings of `llamaDecoder`. */
export interface LlamaDecoderOptions extends CommonOptions {
  /** Heads of keys and values, a divisor of `numHeads`, which it is when left out. */
  readonly numKeyValueHeads?: number | null;
  /** Size of a head; width / numHeads when left out. */
  readonly headDim?: number | null;
  /** The slowest pair of a head turns once in 2π · ropeBase steps. */
  readonly ropeBase?: number;
  /** Steps are divided by it. */
  readonly ropeScaling?: number;
  /** Pairs are numbers 2i and 2i + 1 of a head; else i and i + half. */
  readonly ropeInterleaved?: boolean;
  /** Added to the mean square, so in units of x². */
  readonly epsilon?: number;
  readonly dropout?: number;
  readonly kernelInitializer?: InitializerOption;
}

/**
 * A decoder's block as LLaMA has it: causal grouped-query attention with rotary positions, then SwiGLU, each behind a
 * root-mean-square normalization and added to what came in. No biases.
 *
 * - Shapes: x [batch, steps, width] → y the same.
 * - Weights, and what llama's files call them: self_attention_norm/scale [width] (input_layernorm, attn_norm);
 *   self_attention/query/kernel [width, numHeads, headDim] (q_proj, attn_q), self_attention/key/kernel and value/kernel
 *   [width, numKeyValueHeads, headDim] (k_proj, v_proj), self_attention/attention_output/kernel [numHeads, headDim, width]
 *   (o_proj, attn_output); feedforward_norm/scale [width] (post_attention_layernorm, ffn_norm); feedforward/gate/kernel and
 *   up/kernel [width, intermediateDim], feedforward/down/kernel [intermediateDim, width] (gate_proj, up_proj, down_proj).
 *   Their matrices are [outputs, inputs]: read ours as [inputs, outputs] and turn it. safetensors has the pairs of rotary
 *   positions as `ropeInterleaved` false, GGUF as true.
 * - Defaults: `numKeyValueHeads` numHeads, `headDim` width / numHeads, `ropeBase` 10000, `ropeScaling` 1,
 *   `ropeInterleaved` false, `epsilon` 1e-5, `dropout` 0, `kernelInitializer` glorotUniform.
 * - Masks: masked steps are looked at by none; the mask is handed on.
 * - Source: Touvron et al. 2023, arXiv:2302.13971; grouped queries: arXiv:2305.13245.
 */
export const llamaDecoder = (intermediateDim: number, numHeads: number, options: LlamaDecoderOptions = {}): Layer =>
  llamaDecoderKind.make({ intermediateDim, numHeads, ...options });
