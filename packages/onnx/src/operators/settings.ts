/** @file Attributes of nodes, between the way callers write them and the way nodes keep them. */
import { OnnxError } from "../errors.ts";
import type { Attribute, Attributes, Node } from "../graph/graph.ts";
import type { AttributeKind, AttributeSpec, AttributeSpecs, AttributeTypes, Resolved } from "./attribute.ts";
import { findOperator, type OperatorName, type SettingsOf } from "./table.ts";

type Plain = AttributeTypes[AttributeKind];

/** What kind of attribute a node keeps; an empty list may be of numbers or of strings. */
export function kindOf(attribute: Attribute): AttributeKind | "empty" {
  if (typeof attribute === "number") return "int";
  if (typeof attribute === "string") return "string";
  if (isList(attribute)) {
    if (attribute.length === 0) return "empty";
    return typeof attribute[0] === "number" ? "ints" : "strings";
  }
  if ("float" in attribute) return "float";
  if ("floats" in attribute) return "floats";
  return "tensor" in attribute ? "tensor" : "graph";
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isInt = (value: unknown): boolean => Number.isSafeInteger(value);
const isRecord = (value: unknown, key: string): boolean => typeof value === "object" && value !== null && key in value;

const fits: { readonly [K in AttributeKind]: (value: unknown) => boolean } = {
  int: isInt,
  float: (value) => typeof value === "number",
  string: (value) => typeof value === "string",
  ints: (value) => isList(value) && value.every(isInt),
  floats: (value) => isList(value) && value.every((item) => typeof item === "number"),
  strings: (value) => isList(value) && value.every((item) => typeof item === "string"),
  tensor: (value) => isRecord(value, "dtype") && isRecord(value, "data"),
  graph: (value) => isRecord(value, "nodes"),
};

/** The way a node keeps an attribute: floats are marked, and rounded to the 32 bits that a file holds. */
function toKept(kind: AttributeKind, value: Plain): Attribute {
  if (kind === "float") return { float: Math.fround(value as number) };
  if (kind === "floats") return { floats: (value as readonly number[]).map(Math.fround) };
  if (kind === "tensor") return { tensor: value as AttributeTypes["tensor"] };
  if (kind === "graph") return { graph: value as AttributeTypes["graph"] };
  return value as number | string | readonly number[] | readonly string[];
}

/** The plain value of a kept attribute; undefined when it is of another kind. */
function toPlain(kind: AttributeKind, kept: Attribute): Plain | undefined {
  const found = kindOf(kept);
  if (found === "empty") return kind === "ints" || kind === "strings" ? (kept as Plain) : undefined;
  if (found !== kind) return undefined;
  if (typeof kept !== "object" || isList(kept)) return kept as Plain;
  return Object.values(kept)[0] as Plain;
}

/**
 * A caller's attributes as a node keeps them.
 * @throws OnnxError for an attribute that the operator does not have, or of another kind.
 */
export function keepAttributes(
  where: string,
  specs: AttributeSpecs,
  given: Readonly<Record<string, Plain | undefined>>,
): Attributes {
  const kept: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) throw unknownAttribute(where, specs, name);
    if (!fits[spec.kind](value))
      throw new OnnxError(where, `attribute ${name} must be ${spec.kind}, received ${JSON.stringify(value)}`);
    kept[name] = toKept(spec.kind, value);
  }
  return kept;
}

/**
 * A node's attributes as a rule reads them, with ONNX's defaults.
 * @throws OnnxError for unknown attributes, those of another kind, and those that are missing.
 */
export function resolveAttributes<A extends AttributeSpecs>(
  where: string,
  specs: A,
  attributes: Attributes,
): Resolved<A> {
  for (const name of Object.keys(attributes))
    if (!Object.hasOwn(specs, name)) throw unknownAttribute(where, specs, name);
  const resolved: Record<string, Plain | undefined> = {};
  for (const [name, spec] of Object.entries<AttributeSpec>(specs)) {
    const kept = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (kept === undefined) {
      if (spec.presence === "required") throw new OnnxError(where, `attribute ${name} (${spec.kind}) is missing`);
      resolved[name] = spec.value;
      continue;
    }
    resolved[name] = toPlain(spec.kind, kept);
    if (resolved[name] === undefined)
      throw new OnnxError(where, `attribute ${name} must be ${spec.kind}, received ${kindOf(kept)}`);
  }
  return resolved as Resolved<A>;
}

function unknownAttribute(where: string, specs: AttributeSpecs, name: string): OnnxError {
  const known = Object.keys(specs).join(", ") || "none";
  return new OnnxError(where, `there is no attribute ${name}; the operator has: ${known}`);
}

/**
 * What a node of operator O says, with ONNX's defaults filled in: `settingsOf("Gemm", node).transA`.
 * @throws OnnxError when the node is of another operator.
 */
export function settingsOf<O extends OperatorName>(operator: O, node: Node): SettingsOf<O> {
  const entry = findOperator(operator);
  if (node.operator !== operator || entry === undefined)
    throw new OnnxError(node.name, `expected a node of operator ${operator}, received ${node.operator}`);
  return resolveAttributes(node.name, entry.attributes, node.attributes) as SettingsOf<O>;
}
