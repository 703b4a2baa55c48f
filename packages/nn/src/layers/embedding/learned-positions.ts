import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { size } from "../../schema/field.ts";
import { defineLayer } from "../define-layer.ts";
import { plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { firstRows, sequenceShape, withinTable } from "./sequence.ts";

/** The table's entry of `learnedPositions`. */
export const learnedPositionsKind = defineLayer({
  type: "learnedPositions",
  fields: { maxLength: size(), initializer: initializerField("glorotUniform") },
  mask: "passes",
  outputShape: ({ maxLength }, input, where) => withinTable(sequenceShape(input, where), maxLength, "maxLength", where),
  parameters: ({ maxLength, initializer }, input) => [
    { name: "embeddings", shape: [maxLength, input.at(-1) ?? 1], initializer },
  ],
  build(_, { math, weight }, input) {
    const { value, shape } = toPlain(math, input);
    return plain(math.add(value, firstRows(math, weight("embeddings"), value)), shape);
  },
});

/** Settings of layers that learn positions. */
export interface PositionOptions extends CommonOptions {
  readonly initializer?: InitializerOption;
}

/**
 * Adds to each step of a sequence a vector of its position, which is learned.
 *
 * - Shapes: x [batch, steps, width] → y the same, steps at most `maxLength`; embeddings [maxLength, width].
 * - Defaults: `initializer` glorotUniform. Masks: handed on.
 * - ONNX: Slice, Add.
 */
export const learnedPositions = (maxLength: number, options: PositionOptions = {}): Layer =>
  learnedPositionsKind.make({ maxLength, ...options });
