/** @file A trained model with weights of 8 bits, and what that costs: sizes, scores and answers beside the float model's. */
import {
  encodeModel,
  type LeftNode,
  type Node,
  type Model as OnnxModel,
  type QuantizedNode,
  quantizeModel,
  type WeightBits,
} from "@gristmill/onnx";
import { NnError } from "../errors.ts";
import type { Model } from "../model/model.ts";
import { wholeNumber } from "../model/options.ts";
import { shown } from "../schema/problems.ts";
import type { LabelledData, Table } from "../training/source.ts";
import { type Comparison, compareTwins } from "./compare.ts";

/** Which numbers become whole. */
export type QuantizationMode = "dynamic" | "weightOnly";

/** Settings of `quantize`. */
export interface QuantizationOptions {
  /**
   * "dynamic" when left out: activations are rounded too, as they come, and products are of whole numbers: smaller and
   * faster. "weightOnly": a smaller file, the weights of convolutions too; the runtime makes fractions of the weights
   * when it loads them, so that memory and time are those of the float model.
   */
  readonly mode?: QuantizationMode;
  /** Of each weight, 8. 7 for processors whose products of bytes stop at 32,767 (those without VNNI). */
  readonly bits?: WeightBits;
  /** Weights of fewer elements stay as they are, 1024. */
  readonly leastElements?: number;
  /** Nodes of the exported model for which this gives true stay as they are, by name: (node) => node.name.startsWith("dense_2/"). */
  readonly skip?: (node: Node) => boolean;
  /** Samples to score both models on; the model must be compiled. */
  readonly evaluateOn?: LabelledData | Table;
  /** Samples per run, 128. Activations are rounded batch by batch: it changes the scores of "dynamic" a little. */
  readonly batchSize?: number;
  readonly threads?: number;
  /** Works between runs. */
  readonly signal?: AbortSignal;
}

/** Before and after, in bytes. */
export interface SizeChange {
  readonly before: number;
  readonly after: number;
}

/** What was done, and what it costs. Plain JSON. */
export interface QuantizationReport {
  readonly mode: QuantizationMode;
  readonly bits: WeightBits;
  /** Of the files; undefined where the model is too large for one. */
  readonly fileBytes: SizeChange | undefined;
  readonly weightBytes: SizeChange;
  readonly quantized: readonly QuantizedNode[];
  /** Nodes with weights that stay, and why. */
  readonly left: readonly LeftNode[];
  /** Where samples were given. */
  readonly comparison: Comparison | undefined;
}

/** The model to serve, and its report. */
export interface QuantizedModel {
  readonly onnx: OnnxModel;
  readonly report: QuantizationReport;
}

/** Above it a protobuf file ends; names and nodes take some of it. */
const largestFile = 2 ** 31 - 2 ** 26;

function readSettings({ mode = "dynamic", bits = 8, leastElements = 1024 }: QuantizationOptions) {
  if (mode !== "dynamic" && mode !== "weightOnly")
    throw new NnError(`mode: expected one of "dynamic", "weightOnly", received ${shown(mode)}`);
  if (bits !== 8 && bits !== 7)
    throw new NnError(
      `bits: expected 8 or 7, received ${shown(bits)}; train with quantizationAware(layer, { bits }) for coarser weights`,
    );
  return { mode, bits, leastElements: wholeNumber(leastElements, "leastElements", 0) };
}

/**
 * The model as ONNX with weights of 8 bits, and what that costs.
 *
 * - Weights of products and tables of rows, in "weightOnly" of convolutions too: each channel by its own largest number.
 * - With `evaluateOn`: loss and metrics of both models by the model's own objective, their differences, and how far answers
 *   are apart. Regularizers count in both losses, with the weights as they were before.
 * - The weights of layers in `quantizationAware` lose nothing to 8 bits; what rounding the activations costs, stays.
 * @throws NnError for wrong settings, or data without a loss; DataError for data that do not fit; `signal.reason`
 */
export async function quantize(model: Model, options: QuantizationOptions = {}): Promise<QuantizedModel> {
  const { skip, evaluateOn, threads, signal } = options;
  const settings = readSettings(options);
  const batchSize = wholeNumber(options.batchSize ?? 128, "batchSize", 1);
  const float = model.toOnnx();
  const made = quantizeModel(float, { ...settings, ...(skip === undefined ? {} : { skip }) });
  const names = new Set(made.quantized.map(({ node }) => node));
  // the same nodes have the same names in every program; a loss may have products of its own
  const again = (other: OnnxModel): OnnxModel =>
    quantizeModel(other, { ...settings, skip: ({ name }) => !names.has(name) }).model;
  const comparison =
    evaluateOn &&
    (await compareTwins(model, { float, quantized: made.model, again }, evaluateOn, { batchSize, threads, signal }));
  const { quantized, left, weightBytes } = made;
  const { mode, bits } = settings;
  return {
    onnx: made.model,
    report: {
      mode,
      bits,
      fileBytes: fileSizes(float, made.model, weightBytes),
      weightBytes,
      quantized,
      left,
      comparison,
    },
  };
}

const fileSizes = (before: OnnxModel, after: OnnxModel, weights: SizeChange): SizeChange | undefined =>
  weights.before > largestFile ? undefined : { before: encodeModel(before).length, after: encodeModel(after).length };
