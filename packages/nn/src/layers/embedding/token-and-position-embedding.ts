import { ShapeError } from "@gristmill/onnx";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { flag, size } from "../../schema/field.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { defineComposite } from "../network-layer.ts";
import { formatSample } from "../shape.ts";
import { embedding } from "./embedding.ts";
import { learnedPositions } from "./learned-positions.ts";
import { withinTable } from "./sequence.ts";

/** The table's entry of `tokenAndPositionEmbedding`. */
export const tokenAndPositionEmbeddingKind = defineComposite({
  type: "tokenAndPositionEmbedding",
  fields: {
    vocabularySize: size(),
    sequenceLength: size(),
    embeddingDim: size(),
    embeddingsInitializer: initializerField("glorotUniform"),
    maskZero: flag(false),
  },
  inputDtype: "int32",
  checkShapes({ sequenceLength }, [input = []], where) {
    if (input.length !== 1) throw new ShapeError(where, `expected samples of [steps], received ${formatSample(input)}`);
    withinTable(input, sequenceLength, "sequenceLength", where);
  },
  compose({ vocabularySize, sequenceLength, embeddingDim, embeddingsInitializer, maskZero }, [tokens]) {
    if (tokens === undefined) throw new Error("tokenAndPositionEmbedding: composed without an input");
    const rows = { embeddingsInitializer, maskZero, name: "token_embedding" };
    const words = embedding(vocabularySize, embeddingDim, rows).apply(tokens);
    const places = { initializer: embeddingsInitializer, name: "position_embedding" };
    return learnedPositions(sequenceLength, places).apply(words);
  },
});

/** Settings of `tokenAndPositionEmbedding`. */
export interface TokenAndPositionEmbeddingOptions extends CommonOptions {
  readonly vocabularySize: number;
  /** Most steps of a sequence. */
  readonly sequenceLength: number;
  readonly embeddingDim: number;
  /** Of both tables. */
  readonly embeddingsInitializer?: InitializerOption;
  /** True: 0 is padding, and layers that read masks skip it. */
  readonly maskZero?: boolean;
}

/**
 * Tokens as vectors that are learned, with a vector of their position added, as KerasHub has it.
 *
 * - Shapes: x [batch, steps] of whole numbers → y [batch, steps, embeddingDim]; token_embedding/embeddings
 *   [vocabularySize, embeddingDim], position_embedding/embeddings [sequenceLength, embeddingDim].
 * - Defaults: `embeddingsInitializer` glorotUniform, `maskZero` false.
 * - Masks: with `maskZero` [batch, steps], false where x is 0.
 * - ONNX: Gather, Slice, Add.
 */
export const tokenAndPositionEmbedding = (options: TokenAndPositionEmbeddingOptions): Layer =>
  tokenAndPositionEmbeddingKind.make({ ...options });
