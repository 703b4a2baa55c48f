import { ShapeError } from "@gristmill/onnx";
import { linearMap } from "../../graph/linear-map.ts";
import { defineLayer } from "../define-layer.ts";
import { plain, toPlain } from "../features.ts";
import type { Layer } from "../layer.ts";
import { formatSample, type SampleShape } from "../shape.ts";
import { type EmbeddingOptions, embeddingFields, embeddingParameter, lookedUpShape, lookUp } from "./embedding.ts";

/** True where vectors enter, to be compared with every row: samples of [steps, outputDim]. */
const isBack = (input: SampleShape): boolean => input.length === 2;

/** The table's entry of `reversibleEmbedding`. */
export const reversibleEmbeddingKind = defineLayer({
  type: "reversibleEmbedding",
  fields: embeddingFields,
  inputDtype: "int32",
  mask: "reads",
  outputShape({ inputDim, outputDim, maskZero }, input, where) {
    if (!isBack(input) && input.length !== 1)
      throw new ShapeError(
        where,
        `expected samples of [steps] or [steps, ${outputDim}], received ${formatSample(input)}`,
      );
    if (!isBack(input)) return lookedUpShape(input, outputDim, maskZero, where);
    if (input.at(-1) !== outputDim)
      throw new ShapeError(where, `expected vectors of ${outputDim} on the way back, received ${formatSample(input)}`);
    return [...input.slice(0, -1), inputDim];
  },
  parameters: (config) => [embeddingParameter(config)],
  build({ inputDim, outputDim, maskZero }, { math, weight }, input) {
    const { value, shape, mask } = toPlain(math, input);
    const table = weight("embeddings");
    if (isBack(shape))
      return plain(linearMap(math, value, math.transpose(table, [1, 0])), [...shape.slice(0, -1), inputDim], mask);
    const { rows, isWord } = lookUp(math, table, value);
    const own = maskZero ? isWord() : undefined;
    const both = own && mask ? math.builder.op("And", [own, mask]) : (own ?? mask);
    return plain(rows, [...shape, outputDim], both);
  },
});

/**
 * An embedding that also goes back: applied to tokens it gives their vectors; applied to vectors it gives their product
 * with every row, the logits of the tokens. A language model ties its first and last layer so:
 * `const words = reversibleEmbedding(1000, 64); const logits = words.apply(stack(words.apply(tokens)));`
 *
 * - Shapes: x [batch, steps] of whole numbers → [batch, steps, outputDim]; x [batch, steps, outputDim] → [batch, steps,
 *   inputDim]; embeddings [inputDim, outputDim].
 * - Defaults and masks: as those of `embedding`; on the way back the mask is handed on.
 * - ONNX: Gather; Transpose and Gemm, which the runtime makes one.
 * - Source: Press and Wolf 2016, arXiv:1608.05859; KerasHub's ReversibleEmbedding.
 */
export const reversibleEmbedding = (inputDim: number, outputDim: number, options: EmbeddingOptions = {}): Layer =>
  reversibleEmbeddingKind.make({ inputDim, outputDim, ...options });
