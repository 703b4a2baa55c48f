/** @file Operators that make tensors from little: constants, ranges, filled shapes. */

import { divideDims, subtractDims } from "../dim.ts";
import type { Dim } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { optional } from "./attribute.ts";
import { contentsOfTensor, fitting } from "./contents.ts";
import { shapeInput } from "./layout.ts";
import { type Call, type Inferred, operator } from "./operator.ts";
import { take, takeRank, takeSame } from "./rules.ts";

const constantSettings = {
  value: optional("tensor"),
  value_float: optional("float"),
  value_floats: optional("floats"),
  value_int: optional("int"),
  value_ints: optional("ints"),
  value_string: optional("string"),
  value_strings: optional("strings"),
};

function constant(call: Call<typeof constantSettings>): Inferred {
  const { attributes } = call;
  const given = Object.values(attributes).filter((value) => value !== undefined);
  if (given.length !== 1) throw call.shapeError("exactly one value attribute", `${given.length}`);
  if (attributes.value !== undefined)
    return {
      dtype: attributes.value.dtype,
      shape: attributes.value.shape,
      contents: contentsOfTensor(attributes.value),
    };
  if (attributes.value_float !== undefined) return { dtype: "float32", shape: [] };
  if (attributes.value_floats !== undefined) return { dtype: "float32", shape: [attributes.value_floats.length] };
  if (attributes.value_int !== undefined) return { dtype: "int64", shape: [], contents: [attributes.value_int] };
  if (attributes.value_ints !== undefined) {
    const shape = [attributes.value_ints.length];
    return { dtype: "int64", shape, contents: fitting(shape, attributes.value_ints) };
  }
  if (attributes.value_string !== undefined) return { dtype: "string", shape: [] };
  return { dtype: "string", shape: [attributes.value_strings?.length ?? 0] };
}

/** Length of a range; a name where its bounds are named sizes. */
function rangeLength(call: Call): Dim {
  const numberAt = (index: number): number | undefined => {
    const found = call.constant(index);
    return found === undefined || found.data.length !== 1 ? undefined : Number(found.data[0]);
  };
  const [start, limit, delta] = [0, 1, 2].map((i) => call.contents(i)?.[0] ?? numberAt(i));
  if (delta === 0) throw call.shapeError("a step other than 0", "0");
  if (typeof start === "number" && typeof limit === "number" && typeof delta === "number")
    return Math.max(0, Math.ceil((limit - start) / delta));
  if (start === undefined || limit === undefined || typeof delta !== "number" || delta < 0) return call.fresh("length");
  return divideDims(subtractDims(limit, start), delta, "ceil");
}

/** Values out of sizes and settings. */
export const creation = {
  Constant: operator({
    since: 13,
    inputs: [0, 0],
    outputs: [1, 1],
    attributes: constantSettings,
    infer: (call) => [constant(call)],
  }),
  /** Input: a shape. `value` is a tensor of one element (float32 0 when absent). */
  ConstantOfShape: operator({
    since: 9,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { value: optional("tensor") },
    infer: (call) => {
      const shape = take(call, 0, ["int64"]);
      takeRank(call, shape, 1);
      const value: Tensor | undefined = call.attributes.value;
      if (value !== undefined && value.data.length !== 1)
        throw call.shapeError("one element in attribute value", String(value.data.length));
      return [{ dtype: value?.dtype ?? "float32", shape: shapeInput(call, 0) }];
    },
  }),
  /** Inputs: start, limit, delta: scalars of one type. */
  Range: operator({
    since: 11,
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: {},
    infer: (call) => {
      const [start] = takeSame(call, ["float32", "float64", "int16", "int32", "int64"], 3);
      return start === undefined ? [] : [{ dtype: start.dtype, shape: [rangeLength(call)] }];
    },
  }),
};
