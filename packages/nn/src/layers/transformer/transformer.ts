import { ShapeError } from "@gristmill/onnx";
import { type ActivationOption, activationField } from "../../activations/field.ts";
import type { SymbolicTensor } from "../../network/symbolic.ts";
import { flag, fraction, oneOf, positive, size } from "../../schema/field.ts";
import { dense } from "../core/dense.ts";
import { optionalNumber } from "../core/optional-number.ts";
import { learnedPositions } from "../embedding/learned-positions.ts";
import { sinusoidalPositions } from "../embedding/sinusoidal-positions.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { defineComposite } from "../network-layer.ts";
import { dropout } from "../noise/dropout.ts";
import { layerNormalization } from "../normalization/layer-normalization.ts";
import { formatSample, knownSize } from "../shape.ts";
import { transformerEncoder } from "./transformer-encoder.ts";

const isSize = (value: number): boolean => Number.isInteger(value) && value >= 1 && value < 2 ** 31;

/** How steps know their place. */
type Positions = "sinusoidal" | "learned" | "rotary" | "none";

/** Layers that add positions to the steps; rotary ones are the attention's. */
const positionLayers: Readonly<Record<Positions, (steps: number) => Layer | undefined>> = {
  sinusoidal: () => sinusoidalPositions({ name: "positions" }),
  learned: (steps) => learnedPositions(steps, { name: "positions" }),
  rotary: () => undefined,
  none: () => undefined,
};

/** The table's entry of `transformer`. */
export const transformerKind = defineComposite({
  type: "transformer",
  fields: {
    numLayers: size(6),
    numHeads: size(8),
    hiddenSize: size(256),
    intermediateDim: optionalNumber("a whole number from 1", isSize),
    outputSize: optionalNumber("a whole number from 1", isSize),
    positions: oneOf(["sinusoidal", "learned", "rotary", "none"], "sinusoidal"),
    dropout: fraction(0),
    activation: activationField("relu"),
    layerNormEpsilon: positive(1e-5),
    normalizeFirst: flag(false),
    useCausalMask: flag(false),
  },
  check({ hiddenSize, numHeads, positions }, where, problems) {
    const part = positions === "rotary" ? 2 * numHeads : numHeads;
    if (hiddenSize % part !== 0)
      problems.add(
        `${where}.hiddenSize`,
        `expected a multiple of ${part} for ${numHeads} heads, received ${hiddenSize}`,
      );
  },
  checkShapes({ positions }, [input = []], where) {
    if (input.length !== 2)
      throw new ShapeError(
        where,
        `expected samples of [steps, features], received ${formatSample(input)}; put an embedding before tokens`,
      );
    if (positions === "learned") knownSize(input, 0, where);
    knownSize(input, -1, where);
  },
  compose(config, [x]) {
    if (x === undefined) throw new Error("transformer: composed without an input");
    const { hiddenSize, intermediateDim, outputSize, positions, layerNormEpsilon, normalizeFirst } = config;
    const { dropout: rate, activation, useCausalMask } = config;
    const places = positionLayers[positions](x.shape[0] ?? 1);
    let steps: SymbolicTensor = dense(hiddenSize, { name: "projection" }).apply(x);
    if (places !== undefined) steps = places.apply(steps);
    if (rate > 0) steps = dropout(rate, { name: "dropout" }).apply(steps);
    for (let layer = 1; layer <= config.numLayers; layer++)
      steps = transformerEncoder(intermediateDim ?? 4 * hiddenSize, config.numHeads, {
        dropout: rate,
        activation,
        layerNormEpsilon,
        normalizeFirst,
        useCausalMask,
        rotary: positions === "rotary" ? {} : null,
        name: `encoder_${layer}`,
      }).apply(steps);
    if (normalizeFirst) steps = layerNormalization({ epsilon: layerNormEpsilon, name: "norm" }).apply(steps);
    return outputSize === null ? steps : dense(outputSize, { name: "output" }).apply(steps);
  },
});

/** Settings of `transformer`. */
export interface TransformerOptions extends CommonOptions {
  /** Blocks, one behind the other. */
  readonly numLayers?: number;
  readonly numHeads?: number;
  /** Width of the steps between the blocks; heads divide it. */
  readonly hiddenSize?: number;
  /** Width between the two dense layers of a block; 4 · hiddenSize when left out. */
  readonly intermediateDim?: number | null;
  /** Width of an answer's steps; hiddenSize, without a last dense layer, when left out. */
  readonly outputSize?: number | null;
  readonly positions?: Positions;
  readonly dropout?: number;
  readonly activation?: ActivationOption;
  readonly layerNormEpsilon?: number;
  readonly normalizeFirst?: boolean;
  readonly useCausalMask?: boolean;
}

/**
 * A whole transformer over a sequence of vectors: a dense layer to `hiddenSize`, positions, blocks, a dense layer to
 * `outputSize`. The reference of 8 heads, 6 layers, hidden size 256, input size 512 and output size 256 is
 * `transformer({ outputSize: 256, inputShape: [steps, 512] })`.
 *
 * - Shapes: x [batch, steps, features] → [batch, steps, outputSize].
 * - Weights: projection/..., positions/embeddings [steps, hiddenSize] (learned), encoder_1/... (transformerEncoder) and on,
 *   norm/... (with `normalizeFirst`), output/....
 * - Defaults: `numLayers` 6, `numHeads` 8, `hiddenSize` 256, `intermediateDim` 4 · hiddenSize, `outputSize` hiddenSize,
 *   `positions` sinusoidal, `dropout` 0, `activation` relu, `layerNormEpsilon` 1e-5, `normalizeFirst` and `useCausalMask`
 *   false.
 * - Masks: masked steps are looked at by none; the mask is handed on.
 * - Source: Vaswani et al. 2017, arXiv:1706.03762.
 */
export const transformer = (options: TransformerOptions = {}): Layer => transformerKind.make({ ...options });
