/** @file Poolings, channels first: [batch, channels, ...spatial]. */
import { addDims, multiplyDims, subtractDims } from "../dim.ts";
import { optional, preset, required } from "./attribute.ts";
import { type Call, type Inferred, operator } from "./operator.ts";
import { floats, take, takeRank } from "./rules.ts";
import { perAxis, slide } from "./window.ts";

const window = {
  auto_pad: preset("string", "NOTSET"),
  ceil_mode: preset("int", 0),
  dilations: optional("ints"),
  kernel_shape: required("ints"),
  pads: optional("ints"),
  strides: optional("ints"),
};

function pooled(call: Call<typeof window>): Inferred {
  const { auto_pad, ceil_mode, dilations, kernel_shape, pads, strides } = call.attributes;
  const x = take(call, 0, [...floats, "int8", "uint8"]);
  const [batch = 1, channels = 1, ...spatial] = takeRank(call, x, 3, Number.POSITIVE_INFINITY);
  const positions = slide(call, spatial, {
    kernel: kernel_shape,
    strides,
    dilations,
    pads,
    autoPad: auto_pad,
    ceilMode: ceil_mode,
  });
  return { dtype: x.dtype, shape: [batch, channels, ...positions] };
}

const overAllSpace = operator({
  since: 1,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {},
  infer: (call) => {
    const x = take(call, 0, floats);
    const [batch = 1, channels = 1, ...spatial] = takeRank(call, x, 3, Number.POSITIVE_INFINITY);
    return [{ dtype: x.dtype, shape: [batch, channels, ...spatial.map(() => 1)] }];
  },
});

/** Poolings and what undoes them. */
export const pooling = {
  /** Outputs: y, and where each maximum was as an index into the whole flat input (int64). */
  MaxPool: operator({
    since: 12,
    inputs: [1, 1],
    outputs: [1, 2],
    attributes: { ...window, storage_order: preset("int", 0) },
    infer: (call) => {
      const y = pooled(call);
      return [y, { dtype: "int64", shape: y.shape }];
    },
  }),
  AveragePool: operator({
    since: 19,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { ...window, count_include_pad: preset("int", 0) },
    infer: (call) => [pooled(call)],
  }),
  LpPool: operator({
    since: 18,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { ...window, p: preset("int", 2) },
    infer: (call) => [pooled(call)],
  }),
  /** Inputs: values, their indices from MaxPool, and optionally the size to unpool into. */
  MaxUnpool: operator({
    since: 11,
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: { kernel_shape: required("ints"), pads: optional("ints"), strides: optional("ints") },
    infer: (call) => {
      const x = take(call, 0, floats);
      take(call, 1, ["int64"]);
      const [batch = 1, channels = 1, ...spatial] = takeRank(call, x, 3, Number.POSITIVE_INFINITY);
      if (call.inputs[2] !== undefined) {
        const size = call.contents(2) ?? x.shape.map((_, i) => call.fresh(`axis${i}`));
        return [{ dtype: x.dtype, shape: size }];
      }
      const rank = spatial.length;
      const kernel = perAxis(call, "kernel_shape", call.attributes.kernel_shape, rank, 1);
      const strides = perAxis(call, "strides", call.attributes.strides, rank, 1);
      const pads = perAxis(call, "pads", call.attributes.pads, 2 * rank, 0);
      const sizes = spatial.map((size, i) => {
        const margin = (pads[i] ?? 0) + (pads[i + rank] ?? 0);
        return addDims(multiplyDims(subtractDims(size, 1), strides[i] ?? 1), (kernel[i] ?? 1) - margin);
      });
      return [{ dtype: x.dtype, shape: [batch, channels, ...sizes] }];
    },
  }),
  GlobalAveragePool: overAllSpace,
  GlobalLpPool: operator({ ...overAllSpace, since: 2, attributes: { p: preset("int", 2) } }),
  GlobalMaxPool: overAllSpace,
};
