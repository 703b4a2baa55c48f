/** @file Operands that were attributes in older operator sets. */
import { type Dtype, dtypeCode } from "../dtype.ts";
import { attributeOf, floatOf, floatScalar, intList, intOf, intsOf, textOf, withInput, without } from "./attributes.ts";
import type { Step } from "./step.ts";

/** Bounds became inputs in opset 11, of the type of what is bounded. */
export const clip: Step = (node, bench) => {
  const dtype = node.inputs[0]?.dtype ?? "float32";
  const [least, most] = ["min", "max"].map((name) => {
    const bound = floatOf(node, bench, name);
    return bound === undefined ? undefined : floatScalar(bench, name, dtype, bound);
  });
  return { ...node, inputs: [node.inputs[0], least, most], attributes: without(node.attributes, "min", "max") };
};

/** Pads and value became inputs in opset 11; in opset 1 the pads are called paddings. */
export const pad: Step = (node, bench) => {
  const pads = intsOf(node, bench, "pads") ?? intsOf(node, bench, "paddings");
  if (pads === undefined) return node;
  const value = floatOf(node, bench, "value") ?? 0;
  const fill = value === 0 ? undefined : floatScalar(bench, "value", node.inputs[0]?.dtype ?? "float32", value);
  const inputs = [node.inputs[0], intList(bench, "pads", pads), ...(fill === undefined ? [] : [fill])];
  return { ...node, inputs, attributes: without(node.attributes, "pads", "paddings", "value") };
};

/** Starts, ends and axes became inputs in opset 10. */
export const sliceBounds: Step = (node, bench) => {
  const lists = ["starts", "ends", "axes"].map((name) => {
    const list = intsOf(node, bench, name);
    return list === undefined ? [] : [intList(bench, name, list)];
  });
  return {
    ...node,
    inputs: [node.inputs[0], ...lists.flat()],
    attributes: without(node.attributes, "starts", "ends", "axes"),
  };
};

/** Since opset 18 equal pieces are asked for by their number. */
export const splitEvenly: Step = (node) =>
  node.inputs[1] === undefined
    ? { ...node, inputs: node.inputs.slice(0, 1), attributes: { ...node.attributes, num_outputs: node.outputs.length } }
    : node;

/** The number of elements became an input in opset 10. */
export const topK: Step = (node, bench) => {
  const k = intOf(node, bench, "k");
  if (k === undefined) return node;
  const inputs = withInput(node.inputs, 1, intList(bench, "k", [k]));
  return { ...node, inputs, attributes: without(node.attributes, "k") };
};

/** Before opset 4 the axis is 1 unless said. */
export const concatAxis: Step = (node) => ({ ...node, attributes: { axis: 1, ...node.attributes } });

const namesOfTypes: ReadonlyMap<string, Dtype> = new Map(
  Object.entries({
    FLOAT: "float32",
    DOUBLE: "float64",
    FLOAT16: "float16",
    INT8: "int8",
    INT16: "int16",
    INT32: "int32",
    INT64: "int64",
    UINT8: "uint8",
    UINT16: "uint16",
    UINT32: "uint32",
    UINT64: "uint64",
    BOOL: "bool",
    STRING: "string",
  } as const),
);

/** Before opset 6 the element type is written out. */
export const castByName: Step = (node, bench) => {
  if (typeof attributeOf(node, "to") !== "string") return node;
  const dtype = namesOfTypes.get(textOf(node, bench, "to") ?? "");
  if (dtype === undefined) return bench.refuse(`element type ${textOf(node, bench, "to")} is not supported`);
  return { ...node, attributes: { ...node.attributes, to: dtypeCode(dtype) } };
};

/** The axis became an input in opset 20; before, it is 1 unless said. */
export const dftAxis: Step = (node, bench) => {
  const axis = bench.constant("axis", {
    dtype: "int64",
    shape: [],
    data: BigInt64Array.of(BigInt(intOf(node, bench, "axis") ?? 1)),
  });
  return { ...node, inputs: withInput(node.inputs, 2, axis), attributes: without(node.attributes, "axis") };
};
