/** @file Bytes to models. Files come from outside: whatever the bytes, the answer is a model or an OnnxFormatError. */
import { dtypeOfCode } from "../dtype.ts";
import { OnnxError, OnnxFormatError } from "../errors.ts";
import type { Attribute, Attributes, Graph, Model, Node, Value } from "../graph/graph.ts";
import { Scope } from "../graph/scope.ts";
import { inferBodyInputs, inferNode } from "../operators/infer.ts";
import type { BodyInputs, Inferred } from "../operators/operator.ts";
import { type Dim, isDimName, isUnknownShape, mostAxes, unknownShape } from "../shape.ts";
import { fromWireTensor, toSize } from "./decode-tensor.ts";
import { type DecodeLimits, scanModel } from "./scan.ts";
import { attributeTypes } from "./schema.ts";
import {
  parseWire,
  toInt,
  toText,
  type WireAttribute,
  type WireGraph,
  type WireNode,
  type WireTensorType,
  type WireValue,
} from "./wire.ts";

/**
 * Reads an ONNX file. Values get their types by the same inference as in `GraphBuilder`; where an operator has no rule
 * or does not fit, what the file declares stands, and `checkGraph` says what is wrong.
 *
 * Not read: weights in other files, functions, sparse tensors, sequences, maps, and element types without support.
 * @throws OnnxFormatError for bytes that are no ONNX model, for what is not read, and beyond the limits.
 */
export function decodeModel(bytes: Uint8Array, limits: DecodeLimits = {}): Model {
  scanModel(bytes, limits);
  const wire = parseWire(bytes);
  if (wire.graph === null) throw new OnnxFormatError("file", "expected an ONNX model, found no graph in it");
  if (wire.functions.length > 0)
    throw new OnnxFormatError("file", "models with functions are not supported; export with functions inlined");
  const set = wire.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  if (set === undefined) throw new OnnxFormatError("file", "the model does not say which opset it is written in");
  const domains = wire.opsetImport
    .filter(({ domain, version }) => domain !== "" && domain !== "ai.onnx" && toInt("opset_import", version) !== 1)
    .map(({ domain, version }) => [domain, toInt("opset_import", version)] as const);
  return {
    graph: fromWireGraph(wire.graph, new Scope(), undefined),
    opset: toInt("opset_import", set.version),
    producer: wire.producerName,
    metadata: Object.fromEntries(wire.metadataProps.map(({ key, value }) => [key, value])),
    ...(domains.length === 0 ? {} : { domains: Object.fromEntries(domains) }),
  };
}

type Entering = readonly (Inferred | undefined)[] | undefined;

function fromWireGraph(wire: WireGraph, scope: Scope, entering: Entering): Graph {
  if (wire.sparseInitializer.length > 0) throw new OnnxFormatError(wire.name, "sparse tensors are not supported");
  const inputs = wire.input.map((value, i) => fromWireValue(value, entering?.[i]));
  for (const input of inputs) scope.define(input);
  const inputNames = new Set(inputs.map((input) => input.name));
  const initializers: Graph["initializers"] = new Map(
    wire.initializer.map((tensor) => [tensor.name, fromWireTensor(`initializer "${tensor.name}"`, tensor)]),
  );
  if (initializers.size !== wire.initializer.length)
    throw new OnnxFormatError(wire.name, "two initializers have the same name");
  for (const [name, tensor] of initializers)
    if (!inputNames.has(name)) scope.define({ name, dtype: tensor.dtype, shape: tensor.shape }, tensor);
  const declared = new Map<string, WireValue>();
  for (const value of [...wire.valueInfo, ...wire.output]) declared.set(value.name, value);
  const nodes = wire.node.map((node) => fromWireNode(node, scope, declared));
  const outputs = wire.output.map((value) => fromWireValue(value, scope.find(value.name)));
  return { name: wire.name, inputs, outputs, initializers, nodes };
}

function fromWireNode(wire: WireNode, scope: Scope, declared: ReadonlyMap<string, WireValue>): Node {
  const name = wire.name === "" ? (wire.output[0] ?? wire.opType) : wire.name;
  if (wire.overload !== "") throw new OnnxFormatError(name, "overloads of operators are not supported");
  const declaredType = (output: string): Value => {
    const value = declared.get(output);
    return value === undefined ? unknown(output) : fromWireValue(value, undefined);
  };
  const inputs = wire.input.map((input) => (input === "" ? undefined : (scope.find(input) ?? declaredType(input))));
  const domain = wire.domain === "ai.onnx" ? "" : wire.domain;
  const use = {
    where: name,
    operator: wire.opType,
    domain,
    inputs,
    outputs: wire.output.map((output) => (output === "" ? undefined : output)),
  };
  const plain = fromWireAttributes(name, wire.attribute);
  const entering = orNothing((): BodyInputs => inferBodyInputs({ ...use, attributes: plain }, scope)) ?? {};
  // in the file's order, so that the same bytes come out again
  const attributes = Object.fromEntries(
    wire.attribute.map((attribute) => [
      attribute.name,
      (Object.hasOwn(plain, attribute.name) ? plain[attribute.name] : undefined) ??
        fromWireBody(name, attribute, scope, entering),
    ]),
  );
  const results = inputs.some((value) => value !== undefined && isUnknownShape(value.shape))
    ? undefined
    : orNothing(() => inferNode({ ...use, attributes }, scope));
  const outputs = use.outputs.map((output, i): Value | undefined => {
    if (output === undefined) return undefined;
    const result = results?.[i];
    return result === undefined
      ? declaredType(output)
      : { name: output, dtype: result.dtype, shape: [...result.shape] };
  });
  const node: Node = { name, operator: wire.opType, domain, inputs, outputs, attributes };
  scope.defineOutputs(node, results ?? []);
  return node;
}

/** What inference says; undefined where it refuses: the checker asks again, and reports it. */
function orNothing<T>(infer: () => T): T | undefined {
  try {
    return infer();
  } catch (error) {
    if (error instanceof OnnxError) return undefined;
    throw error;
  }
}

const unknown = (name: string): Value => ({ name, dtype: "float32", shape: unknownShape });

function fromWireBody(node: string, wire: WireAttribute, scope: Scope, entering: BodyInputs): Attribute {
  if (wire.g === null) throw new OnnxFormatError(node, `attribute ${wire.name} says it is a graph and has none`);
  const inputs = Object.hasOwn(entering, wire.name) ? entering[wire.name] : undefined;
  return { graph: fromWireGraph(wire.g, new Scope(scope), inputs) };
}

/** All attributes but graphs, which need to know what enters them first. */
function fromWireAttributes(node: string, wires: readonly WireAttribute[]): Attributes {
  const seen = new Set<string>();
  const plain: [string, Attribute][] = [];
  for (const wire of wires) {
    const where = `${node}: attribute ${wire.name}`;
    if (seen.has(wire.name)) throw new OnnxFormatError(where, "given twice");
    seen.add(wire.name);
    if (wire.refAttrName !== "")
      throw new OnnxFormatError(where, "references to attributes of functions are not supported");
    if (wire.type !== attributeTypes.graph) plain.push([wire.name, fromWireAttribute(where, wire)]);
  }
  return Object.fromEntries(plain);
}

function fromWireAttribute(where: string, wire: WireAttribute): Attribute {
  switch (wire.type) {
    case attributeTypes.float:
      return { float: wire.f };
    case attributeTypes.int:
      return toInt(where, wire.i);
    case attributeTypes.string:
      return toText(where, wire.s);
    case attributeTypes.floats:
      return { floats: [...wire.floats] };
    case attributeTypes.ints:
      return wire.ints.map((value) => toInt(where, value));
    case attributeTypes.strings:
      return wire.strings.map((text) => toText(where, text));
    case attributeTypes.tensor:
      if (wire.t === null) throw new OnnxFormatError(where, "says it is a tensor and has none");
      return { tensor: fromWireTensor(where, wire.t) };
    default:
      throw new OnnxFormatError(where, `attributes of type ${wire.type} are not supported`);
  }
}

/** A declared value; what the file leaves out comes from `hint`. */
function fromWireValue(wire: WireValue, hint: Inferred | undefined): Value {
  const where = `value "${wire.name}"`;
  const type = wire.type === null ? null : wire.type.tensorType;
  if (wire.type !== null && type === null)
    throw new OnnxFormatError(where, "expected a tensor; sequences, maps and optional values are not supported");
  const code = type === null ? 0 : type.elemType;
  const dtype = code === 0 ? (hint?.dtype ?? "float32") : dtypeOfCode(code);
  if (dtype === undefined) throw new OnnxFormatError(where, `element type ${code} is not supported`);
  return { name: wire.name, dtype, shape: fromWireShape(where, wire.name, type) ?? hint?.shape ?? unknownShape };
}

function fromWireShape(where: string, name: string, type: WireTensorType | null): Dim[] | undefined {
  if (type === null || type.shape === null) return undefined;
  const { dim: dims } = type.shape;
  if (dims.length > mostAxes)
    throw new OnnxFormatError(where, `expected at most ${mostAxes} axes, received ${dims.length}`);
  return dims.map((dim, axis) => {
    if (Object.hasOwn(dim, "dimValue")) return toSize(where, dim.dimValue);
    return isDimName(dim.dimParam) ? dim.dimParam : `${name}.axis${axis}`;
  });
}
