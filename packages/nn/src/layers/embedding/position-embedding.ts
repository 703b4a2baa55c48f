import { initializerField } from "../../initializers/field.ts";
import { size } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import { plain, toPlain } from "../features.ts";
import type { Layer } from "../layer.ts";
import type { PositionOptions } from "./learned-positions.ts";
import { firstRows, overBatch, sequenceShape, withinTable } from "./sequence.ts";

/** The table's entry of `positionEmbedding`. */
export const positionEmbeddingKind = defineLayer({
  type: "positionEmbedding",
  fields: { sequenceLength: size(), initializer: initializerField("glorotUniform") },
  mask: "passes",
  outputShape: ({ sequenceLength }, input, where) =>
    withinTable(sequenceShape(input, where), sequenceLength, "sequenceLength", where),
  parameters: ({ sequenceLength, initializer }, input) => [
    { name: "embeddings", shape: [sequenceLength, input.at(-1) ?? 1], initializer },
  ],
  build(_, { math, weight }, input) {
    const { value, shape } = toPlain(math, input);
    return plain(overBatch(math, firstRows(math, weight("embeddings"), value), value), shape);
  },
});

/**
 * The positions of a sequence's steps alone, as vectors that are learned: KerasHub's PositionEmbedding, to be added to x.
 * `learnedPositions` adds them itself.
 *
 * - Shapes: x [batch, steps, width], of which only the sizes count → positions of the same sizes, steps at most
 *   `sequenceLength`; embeddings [sequenceLength, width].
 * - Defaults: `initializer` glorotUniform. Masks: handed on.
 * - ONNX: Slice, Expand.
 */
export const positionEmbedding = (sequenceLength: number, options: PositionOptions = {}): Layer =>
  positionEmbeddingKind.make({ sequenceLength, ...options });
