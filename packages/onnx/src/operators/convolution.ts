/** @file Convolutions, channels first: [batch, channels, ...spatial]. */
import { addDims, multiplyDims, subtractDims } from "../dim.ts";
import type { Value } from "../graph/graph.ts";
import { type Dim, formatShape, type Shape } from "../shape.ts";
import { optional, preset } from "./attribute.ts";
import { shapeInput } from "./layout.ts";
import { type Call, operator } from "./operator.ts";
import { floats, sameDtype, takeRank, takeSame, unify } from "./rules.ts";
import { perAxis, slide } from "./window.ts";

/** Attributes of a window of weights. */
export const windowAttributes = {
  auto_pad: preset("string", "NOTSET"),
  dilations: optional("ints"),
  group: preset("int", 1),
  kernel_shape: optional("ints"),
  pads: optional("ints"),
  strides: optional("ints"),
};

function checkKernel(call: Call, declared: readonly number[] | undefined, kernel: Shape): void {
  if (declared === undefined) return;
  if (declared.length !== kernel.length || declared.some((n, i) => typeof kernel[i] === "number" && kernel[i] !== n))
    throw call.shapeError(`kernel_shape ${formatShape(kernel)}, as the weights have`, formatShape(declared));
}

function checkBias(call: Call, channels: Dim): void {
  const bias = sameDtype(call, 2, call.input(0));
  if (bias === undefined) return;
  const [size = 1] = takeRank(call, bias, 1);
  unify(call, channels, size, `bias "${bias.name}" of size`);
}

/** The shape of a convolution of x [N, C, ...] with weights [M, C / group, ...kernel]. */
export function convolved(call: Call<typeof windowAttributes>, x: Value, w: Value): Shape {
  const { auto_pad, dilations, group, kernel_shape, pads, strides } = call.attributes;
  const [batch = 1, channels = 1, ...spatial] = takeRank(call, x, 3, Number.POSITIVE_INFINITY);
  const [maps = 1, perGroup = 1, ...kernel] = takeRank(call, w, x.shape.length);
  checkKernel(call, kernel_shape, kernel);
  if (typeof maps === "number" && maps % group !== 0)
    throw call.shapeError(`output channels that ${group} groups divide`, String(maps));
  const taken = multiplyDims(perGroup, group);
  unify(call, taken, channels, `"${x.name}" ${formatShape(x.shape)} to have channels on axis 1:`);
  const positions = slide(call, spatial, { kernel, strides, dilations, pads, autoPad: auto_pad });
  return [batch, maps, ...positions];
}

/** Convolutions and what undoes them. */
export const convolution = {
  /** Inputs: x [N, C, ...], weights [M, C / group, ...kernel], bias [M]. */
  Conv: operator({
    since: 11,
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: windowAttributes,
    infer: (call) => {
      const [x, w] = takeSame(call, floats, 2);
      if (x === undefined || w === undefined) return [];
      const shape = convolved(call, x, w);
      checkBias(call, shape[1] ?? 1);
      return [{ dtype: x.dtype, shape }];
    },
  }),
  /** Inputs: x [N, C, ...], weights [C, M / group, ...kernel], bias [M]. */
  ConvTranspose: operator({
    since: 11,
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: { ...windowAttributes, output_padding: optional("ints"), output_shape: optional("ints") },
    infer: (call) => {
      const { auto_pad, dilations, group, kernel_shape, output_shape } = call.attributes;
      const [x, w] = takeSame(call, floats, 2);
      if (x === undefined || w === undefined) return [];
      const [batch = 1, channels = 1, ...spatial] = takeRank(call, x, 3, Number.POSITIVE_INFINITY);
      const [taken = 1, perGroup = 1, ...kernel] = takeRank(call, w, x.shape.length);
      checkKernel(call, kernel_shape, kernel);
      unify(call, taken, channels, `"${x.name}" ${formatShape(x.shape)} to have channels on axis 1:`);
      const maps = multiplyDims(perGroup, group);
      checkBias(call, maps);
      const rank = spatial.length;
      if (output_shape !== undefined)
        return [{ dtype: x.dtype, shape: [batch, maps, ...perAxis(call, "output_shape", output_shape, rank, 0)] }];
      const strides = perAxis(call, "strides", call.attributes.strides, rank, 1);
      const spread = perAxis(call, "dilations", dilations, rank, 1);
      const pads = perAxis(call, "pads", call.attributes.pads, 2 * rank, 0);
      const extra = perAxis(call, "output_padding", call.attributes.output_padding, rank, 0);
      const sizes = spatial.map((size, i) => {
        const stride = strides[i] ?? 1;
        if (auto_pad.startsWith("SAME")) return multiplyDims(size, stride);
        const margin = auto_pad === "VALID" ? 0 : (pads[i] ?? 0) + (pads[i + rank] ?? 0);
        const reach = addDims(multiplyDims(subtractDims(kernel[i] ?? 1, 1), spread[i] ?? 1), 1);
        const steps = multiplyDims(subtractDims(size, 1), stride);
        return addDims(addDims(steps, reach), (extra[i] ?? 0) - margin);
      });
      return [{ dtype: x.dtype, shape: [batch, maps, ...sizes] }];
    },
  }),
  /** Inputs: columns [N, C * kernel, positions], image [h, w], block [kh, kw]; output [N, C, h, w]: overlapping columns add. */
  Col2Im: operator({
    since: 18,
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: { dilations: optional("ints"), pads: optional("ints"), strides: optional("ints") },
    infer: (call) => {
      const x = call.input(0);
      const [batch = 1, columns = 1, positions = 1] = takeRank(call, x, 3);
      const image = shapeInput(call, 1);
      const block = call.numbers(2);
      if (call.contents(1) === undefined || block === undefined)
        return [{ dtype: x.dtype, shape: [batch, call.fresh("channels"), ...image] }];
      const kernel = block.reduce((a, b) => a * b, 1);
      if (typeof columns === "number" && columns % kernel !== 0)
        throw call.shapeError(`axis 1 to be a multiple of ${kernel}`, formatShape(x.shape));
      const { dilations, pads, strides } = call.attributes;
      const expected = multiplyDims(
        ...slide(call, image, { kernel: block, strides, dilations, pads, autoPad: "NOTSET" }),
      );
      unify(call, expected, positions, "axis 2 of size");
      const channels = typeof columns === "number" ? columns / kernel : call.fresh("channels");
      return [{ dtype: x.dtype, shape: [batch, channels, ...image] }];
    },
  }),
};
