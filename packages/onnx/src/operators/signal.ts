/** @file Spectra: Fourier transforms, their windows, and the mel scale. */
import { addDims, divideDims, multiplyDims, subtractDims } from "../dim.ts";
import { type Dtype, dtypeOfCode } from "../dtype.ts";
import { type Dim, formatShape } from "../shape.ts";
import { preset } from "./attribute.ts";
import { type Call, operator } from "./operator.ts";
import { axisOf, floats, indices, numeric, sameDtype, take, takeRank } from "./rules.ts";

/** A scalar that is a size. */
function sizeInput(call: Call, index: number, hint: string): Dim {
  take(call, index, indices);
  return call.contents(index)?.[0] ?? call.fresh(hint);
}

/** Frequencies of a transform of so many points: all, or those that are not mirrored. */
const frequencies = (length: Dim, onesided: boolean): Dim => (onesided ? addDims(divideDims(length, 2), 1) : length);

function numberType(call: Call, code: number): Dtype {
  const dtype = dtypeOfCode(code);
  if (dtype === undefined || !numeric.includes(dtype)) throw call.dtypeError("a type of numbers", `type ${code}`);
  return dtype;
}

const window = operator({
  since: 17,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { output_datatype: preset("int", 1), periodic: preset("int", 1) },
  infer: (call) => [
    { dtype: numberType(call, call.attributes.output_datatype), shape: [sizeInput(call, 0, "length")] },
  ],
});

/** Transforms; complex numbers are pairs on the last axis. */
export const signal = {
  HannWindow: window,
  HammingWindow: window,
  BlackmanWindow: window,
  /** Inputs: x [..., points, ..., 1 or 2], number of points, axis (scalars). Output ends in an axis of 2 (1 where `inverse` meets `onesided`). */
  DFT: operator({
    since: 20,
    inputs: [1, 3],
    outputs: [1, 1],
    attributes: { inverse: preset("int", 0), onesided: preset("int", 0) },
    infer: (call) => {
      const x = take(call, 0, floats);
      const rank = x.shape.length;
      takeRank(call, x, 2, Number.POSITIVE_INFINITY);
      const given = call.inputs[2] === undefined ? [-2] : call.numbers(2);
      if (given === undefined) return [{ dtype: x.dtype, shape: x.shape.map((_, i) => call.fresh(`axis${i}`)) }];
      const axis = axisOf(call, given[0] ?? -2, rank);
      if (axis === rank - 1) throw call.shapeError("an axis before the last one", String(axis));
      const length = call.inputs[1] === undefined ? undefined : sizeInput(call, 1, "length");
      const taken = x.shape[axis] ?? 1;
      const { inverse, onesided } = call.attributes;
      // what comes back from the frequencies of one side is real
      const isReal = inverse !== 0 && onesided !== 0;
      const size = isReal
        ? (length ?? multiplyDims(subtractDims(taken, 1), 2))
        : frequencies(length ?? taken, onesided !== 0);
      const parts = isReal ? 1 : 2;
      return [{ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === axis ? size : i === rank - 1 ? parts : dim)) }];
    },
  }),
  /** Inputs: x [batch, points, 1 or 2], step, window [frame], length of a frame. Output [batch, frames, frequencies, 2]. */
  STFT: operator({
    since: 17,
    inputs: [2, 4],
    outputs: [1, 1],
    attributes: { onesided: preset("int", 1) },
    infer: (call) => {
      const x = take(call, 0, floats);
      const [batch = 1, points = 1] = takeRank(call, x, 2, 3);
      const step = sizeInput(call, 1, "step");
      const shape = sameDtype(call, 2, x)?.shape;
      const frame = shape?.[0] ?? (call.inputs[3] === undefined ? undefined : sizeInput(call, 3, "frame"));
      if (frame === undefined) throw call.shapeError("a window or the length of a frame", "neither");
      if (step === 0) throw call.shapeError("a step from 1", formatShape([step]));
      const frames =
        typeof step === "number" ? addDims(divideDims(subtractDims(points, frame), step), 1) : call.fresh("frames");
      return [{ dtype: x.dtype, shape: [batch, frames, frequencies(frame, call.attributes.onesided !== 0), 2] }];
    },
  }),
  /** Inputs: mel bins, points of the transform, rate, lowest and highest frequency (scalars). Output [frequencies, bins]. */
  MelWeightMatrix: operator({
    since: 17,
    inputs: [5, 5],
    outputs: [1, 1],
    attributes: { output_datatype: preset("int", 1) },
    infer: (call) => {
      const [bins, points] = [sizeInput(call, 0, "bins"), sizeInput(call, 1, "points")];
      const dtype = numberType(call, call.attributes.output_datatype);
      return [{ dtype, shape: [frequencies(points, true), bins] }];
    },
  }),
};
