/** @file Attributes of old nodes: read by kind, dropped, and moved to inputs, where newer operator sets have them. */
import { type Dtype, isFloating } from "../dtype.ts";
import type { Attribute, Attributes, Value } from "../graph/graph.ts";
import { toHalfBits } from "../half.ts";
import { isUnknownShape } from "../shape.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { OldNode, Step, Workbench } from "./step.ts";

/** An attribute that must be a whole number where it is there. */
export function intOf(node: OldNode, bench: Workbench, name: string): number | undefined {
  const found = attributeOf(node, name);
  if (found === undefined || typeof found === "number") return found;
  return bench.refuse(`attribute ${name} must be an int`);
}

/** An attribute that must be a list of whole numbers where it is there. */
export function intsOf(node: OldNode, bench: Workbench, name: string): readonly number[] | undefined {
  const found = attributeOf(node, name);
  if (found === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(found) ? found : [undefined];
  if (list.every((item) => typeof item === "number")) return list as readonly number[];
  return bench.refuse(`attribute ${name} must be ints`);
}

/** An attribute that must be a number with a fraction where it is there. */
export function floatOf(node: OldNode, bench: Workbench, name: string): number | undefined {
  const found = attributeOf(node, name);
  if (found === undefined) return undefined;
  return typeof found === "object" && "float" in found
    ? found.float
    : bench.refuse(`attribute ${name} must be a float`);
}

/** An attribute that must be a text where it is there. */
export function textOf(node: OldNode, bench: Workbench, name: string): string | undefined {
  const found = attributeOf(node, name);
  if (found === undefined || typeof found === "string") return found;
  return bench.refuse(`attribute ${name} must be a string`);
}

/** An attribute of any kind. */
export const attributeOf = (node: OldNode, name: string): Attribute | undefined =>
  Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined;

/** Attributes without some. */
export const without = (attributes: Attributes, ...names: readonly string[]): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));

/** Number of axes of an input. Refuses where nothing is known of it. */
export function rankOf(node: OldNode, bench: Workbench, index: number): number {
  const value = node.inputs[index];
  if (value === undefined) return bench.refuse(`input ${index} is missing`);
  if (isUnknownShape(value.shape)) return bench.refuse(`the number of axes of "${value.name}" is unknown`);
  return value.shape.length;
}

/** A constant int64 list. */
export const intList = (bench: Workbench, hint: string, list: readonly number[]): Value =>
  bench.constant(hint, tensor("int64", [list.length], BigInt64Array.from(list, BigInt)));

/** A constant without axes of an element type with a fraction (float32 where the type has none). */
export function floatScalar(bench: Workbench, hint: string, dtype: Dtype, value: number): Value {
  return bench.constant(hint, floatTensor(isFloating(dtype) ? dtype : "float32", value));
}

function floatTensor(dtype: Dtype, value: number): Tensor {
  if (dtype === "float16") return tensor(dtype, [], toHalfBits([value]));
  if (dtype === "float64") return tensor(dtype, [], Float64Array.of(value));
  return tensor("float32", [], Float32Array.of(value));
}

/** The inputs with one at `index` set; those skipped are missing. */
export function withInput(
  inputs: readonly (Value | undefined)[],
  index: number,
  value: Value | undefined,
): readonly (Value | undefined)[] {
  return Array.from({ length: Math.max(inputs.length, index + 1) }, (_, i) => (i === index ? value : inputs[i]));
}

/** A list attribute that became an input of int64. */
export const intsToInput =
  (name: string, index: number): Step =>
  (node, bench) => {
    const list = intsOf(node, bench, name);
    if (list === undefined) return node;
    const inputs = withInput(node.inputs, index, intList(bench, name, list));
    return { ...node, inputs, attributes: without(node.attributes, name) };
  };

/** Attributes that newer operator sets do without. */
export const dropping =
  (...names: readonly string[]): Step =>
  (node) => ({ ...node, attributes: without(node.attributes, ...names) });

/** An attribute whose default changed, written out. */
export const spelledOut =
  (name: string, value: Attribute): Step =>
  (node) => ({ ...node, attributes: { [name]: value, ...node.attributes } });

/** An operator set's way that has no counterpart. */
export const refused =
  (why: string): Step =>
  (_, bench) =>
    bench.refuse(why);
