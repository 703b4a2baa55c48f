import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { type RegularizerOption, regularizerField } from "../../regularizers/field.ts";
import { flag, size } from "../../schema/field.ts";
import type { KindSpec } from "../../schema/kind.ts";
import { defineLayer } from "../define-layer.ts";
import { plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer, Parameter } from "../layer.ts";
import { formatSample, type SampleShape } from "../shape.ts";

/** Fields that every table of rows has. */
export const embeddingFields = {
  inputDim: size(),
  outputDim: size(),
  embeddingsInitializer: initializerField("randomUniform"),
  embeddingsRegularizer: regularizerField(),
  maskZero: flag(false),
};

/** The table of rows as a parameter. */
export const embeddingParameter = (config: {
  readonly inputDim: number;
  readonly outputDim: number;
  readonly embeddingsInitializer: KindSpec;
  readonly embeddingsRegularizer: KindSpec | null;
}): Parameter => ({
  name: "embeddings",
  shape: [config.inputDim, config.outputDim],
  initializer: config.embeddingsInitializer,
  regularizer: config.embeddingsRegularizer ?? undefined,
});

/** Sizes of what is looked up. @throws ShapeError when a mask is wanted of what is no sequence. */
export function lookedUpShape(input: SampleShape, outputDim: number, maskZero: boolean, where: string): SampleShape {
  if (maskZero && input.length !== 1)
    throw new ShapeError(where, `expected samples of [steps] for maskZero, received ${formatSample(input)}`);
  return [...input, outputDim];
}

/** The rows of a table, and which of the numbers are not 0. */
export function lookUp(math: GraphMath, table: Value, tokens: Value): { rows: Value; isWord: () => Value } {
  const ids = math.cast(tokens, "int32");
  return {
    rows: math.builder.op("Gather", [table, ids]),
    isWord: () => math.builder.op("Not", [math.equal(ids, 0)]),
  };
}

/** The table's entry of `embedding`. */
export const embeddingKind = defineLayer({
  type: "embedding",
  fields: embeddingFields,
  inputDtype: "int32",
  mask: "reads",
  outputShape: ({ outputDim, maskZero }, input, where) => lookedUpShape(input, outputDim, maskZero, where),
  parameters: (config) => [embeddingParameter(config)],
  build({ outputDim, maskZero }, { math, weight }, input) {
    const { value, shape, mask } = toPlain(math, input);
    const { rows, isWord } = lookUp(math, weight("embeddings"), value);
    const own = maskZero ? isWord() : undefined;
    const both = own && mask ? math.builder.op("And", [own, mask]) : (own ?? mask);
    return plain(rows, [...shape, outputDim], both);
  },
});

/** Settings of `embedding`. */
export interface EmbeddingOptions extends CommonOptions {
  readonly embeddingsInitializer?: InitializerOption;
  readonly embeddingsRegularizer?: RegularizerOption;
  /** True: 0 is padding, and layers that read masks skip it. Needs samples of [steps]. */
  readonly maskZero?: boolean;
}

/**
 * Whole numbers as rows of a table that is learned.
 *
 * - Shapes: x [batch, ...] of whole numbers from 0 up to but without `inputDim` → y [batch, ..., outputDim]; embeddings
 *   [inputDim, outputDim].
 * - Defaults: `embeddingsInitializer` randomUniform within ±0.05, `maskZero` false.
 * - Masks: with `maskZero` [batch, steps], false where x is 0.
 * - Errors: fit, evaluate and predict name the first number below 0 or of `inputDim` or more. In an exported model Gather fails
 *   beyond the table, and counts from its end below 0.
 * - ONNX: Gather. Its gradient adds up where a number comes twice.
 */
export const embedding = (inputDim: number, outputDim: number, options: EmbeddingOptions = {}): Layer =>
  embeddingKind.make({ inputDim, outputDim, ...options });
