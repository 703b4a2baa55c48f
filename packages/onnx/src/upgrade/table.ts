/** @file What changed in the operators of ai.onnx up to the set that the table of operators follows. */
import { dropping, intsToInput, refused, spelledOut, textOf } from "./attributes.ts";
import { limitedBroadcast, slopeByChannel } from "./broadcast.ts";
import { batchNormalization, dropout, groupNormalization, softmaxOfMatrix, testing } from "./normalization.ts";
import { castByName, clip, concatAxis, dftAxis, pad, sliceBounds, splitEvenly, topK } from "./operands.ts";
import { resize10, upsample, wholePixel } from "./resize.ts";
import type { Step, Upgrade } from "./step.ts";

const upTo = (before: number, step: Step): Upgrade => ({ before, step });

const broadcasts = [upTo(7, limitedBroadcast)];
const axesOfReduction = [upTo(18, intsToInput("axes", 1))];
const asMatrix = [upTo(13, softmaxOfMatrix)];
const recurrent = [upTo(7, dropping("output_sequence"))];

const samplingModes = new Map([
  ["bilinear", "linear"],
  ["bicubic", "cubic"],
]);

const gridSample: Step = (node, bench) => {
  const mode = textOf(node, bench, "mode");
  return mode === undefined
    ? node
    : { ...node, attributes: { ...node.attributes, mode: samplingModes.get(mode) ?? mode } };
};

const renamed =
  (operator: string): Step =>
  (node) => ({ ...node, operator });

/** Steps of each operator, the oldest first. Operators that only took more element types or axes are not here. */
export const upgrades: ReadonlyMap<string, readonly Upgrade[]> = new Map(
  Object.entries({
    Add: broadcasts,
    And: broadcasts,
    BatchNormalization: [
      upTo(7, testing),
      upTo(9, batchNormalization),
      upTo(14, (node, bench) =>
        node.outputs.length > 1 ? bench.refuse("training outputs before opset 14 are not supported") : node,
      ),
    ],
    Cast: [upTo(6, castByName)],
    Clip: [upTo(11, clip)],
    Concat: [upTo(4, concatAxis)],
    DFT: [upTo(20, dftAxis)],
    Div: broadcasts,
    Dropout: [upTo(7, testing), upTo(12, dropout)],
    Equal: broadcasts,
    Gemm: [upTo(7, dropping("broadcast"))],
    Greater: broadcasts,
    GridSample: [upTo(20, gridSample)],
    GroupNormalization: [upTo(21, groupNormalization)],
    GRU: recurrent,
    Hardmax: asMatrix,
    Less: broadcasts,
    LogSoftmax: asMatrix,
    LpPool: [upTo(2, refused("its norm is no whole number before opset 2"))],
    LSTM: recurrent,
    MeanVarianceNormalization: [upTo(9, refused("it has no axes before opset 9"))],
    Mul: broadcasts,
    Or: broadcasts,
    Pad: [upTo(11, pad)],
    Pow: broadcasts,
    PRelu: [upTo(7, slopeByChannel)],
    ReduceL1: axesOfReduction,
    ReduceL2: axesOfReduction,
    ReduceLogSum: axesOfReduction,
    ReduceLogSumExp: axesOfReduction,
    ReduceMax: axesOfReduction,
    ReduceMean: axesOfReduction,
    ReduceMin: axesOfReduction,
    ReduceProd: axesOfReduction,
    ReduceSum: [upTo(13, intsToInput("axes", 1))],
    ReduceSumSquare: axesOfReduction,
    Reshape: [upTo(5, intsToInput("shape", 1))],
    Resize: [upTo(11, resize10), upTo(13, wholePixel)],
    RNN: recurrent,
    RoiAlign: [upTo(16, spelledOut("coordinate_transformation_mode", "output_half_pixel"))],
    Scan: [upTo(9, refused("it has a batch axis of its own before opset 9"))],
    Scatter: [upTo(Number.POSITIVE_INFINITY, renamed("ScatterElements"))],
    Slice: [upTo(10, sliceBounds)],
    Softmax: asMatrix,
    Split: [upTo(13, intsToInput("split", 1)), upTo(18, splitEvenly)],
    Squeeze: [upTo(13, intsToInput("axes", 1))],
    Sub: broadcasts,
    Tile: [upTo(6, refused("it repeats a single axis before opset 6"))],
    TopK: [upTo(10, topK)],
    Unsqueeze: [upTo(13, intsToInput("axes", 1))],
    Upsample: [upTo(Number.POSITIVE_INFINITY, upsample)],
    Xor: broadcasts,
  }),
);

/** Before opset 6 any node could say which of its inputs it destroys. */
export const everywhere: readonly Upgrade[] = [upTo(6, dropping("consumed_inputs"))];
