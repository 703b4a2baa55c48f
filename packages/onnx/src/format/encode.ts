/** @file Models to bytes: the ONNX file format. */
import { dtypeBytes, dtypeCode } from "../dtype.ts";
import { OnnxFormatError } from "../errors.ts";
import type { Attribute, Graph, Model, Node, Value } from "../graph/graph.ts";
import { bytesOfWeight, weightsOf } from "../graph/weights.ts";
import { kindOf } from "../operators/settings.ts";
import { findOperator } from "../operators/table.ts";
import { isUnknownShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { isLittleEndian, swapped } from "./byte-order.ts";
import type { WeightPlace } from "./external-data.ts";
import { attributeTypes, modelMessage } from "./schema.ts";

/** IR version 10 came with opset 21. */
const irVersion = 10;
/** A message of protobuf ends at 2 GiB. */
const mostInside = 2 ** 31 - 1;
type Wire = Readonly<Record<string, unknown>>;

/** Says of a weight where it lies beside the model; undefined for one that lies inside. */
export type PlaceWeight = (weight: Tensor) => WeightPlace | undefined;

/**
 * The bytes of an ONNX file. Weights are inside, but for those that `place` puts elsewhere (see `writeModelFile`). The model
 * is written as it is: `assertModel` says whether it is right.
 * @throws OnnxFormatError when the weights inside are more than one file can hold
 */
export function encodeModel(model: Model, place: PlaceWeight = () => undefined): Uint8Array {
  let inside = 0;
  for (const weight of weightsOf(model.graph)) inside += place(weight) === undefined ? bytesOfWeight(weight) : 0;
  if (inside > mostInside)
    throw new OnnxFormatError(
      model.graph.name,
      `expected weights of at most ${mostInside} bytes in one file, received ${inside}; write the model with writeModelFile`,
    );
  const versions = new Map(Object.entries(model.domains ?? {}));
  const domains = [...new Set([...otherDomains(model.graph), ...versions.keys()])].sort();
  return modelMessage
    .encode({
      irVersion,
      producerName: model.producer,
      graph: toWireGraph(model.graph, place),
      opsetImport: [
        { domain: "", version: model.opset },
        ...domains.map((domain) => ({ domain, version: versions.get(domain) ?? 1 })),
      ],
      metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
    })
    .finish();
}

function* otherDomains(graph: Graph, found = new Set<string>()): Iterable<string> {
  for (const node of graph.nodes) {
    if (node.domain !== "" && !found.has(node.domain)) {
      found.add(node.domain);
      yield node.domain;
    }
    for (const attribute of Object.values(node.attributes))
      if (typeof attribute === "object" && "graph" in attribute) yield* otherDomains(attribute.graph, found);
  }
}

function toWireGraph(graph: Graph, place: PlaceWeight): Wire {
  const outputs = new Set(graph.outputs.map((value) => value.name));
  // types that no rule can find again are written down
  const declared = graph.nodes
    .filter((node) => findOperator(node.operator, node.domain) === undefined)
    .flatMap((node) => node.outputs)
    .filter((value) => value !== undefined && !outputs.has(value.name) && !isUnknownShape(value.shape));
  return {
    name: graph.name,
    node: graph.nodes.map((node) => toWireNode(node, place)),
    initializer: [...graph.initializers].map(([name, tensor]) => toWireTensor(tensor, name, place(tensor))),
    input: graph.inputs.map(toWireValue),
    output: graph.outputs.map(toWireValue),
    valueInfo: declared.map((value) => (value === undefined ? {} : toWireValue(value))),
  };
}

function toWireNode(node: Node, place: PlaceWeight): Wire {
  return {
    name: node.name,
    opType: node.operator,
    domain: node.domain,
    input: node.inputs.map((value) => value?.name ?? ""),
    output: node.outputs.map((value) => value?.name ?? ""),
    attribute: Object.entries(node.attributes).map(([name, attribute]) =>
      toWireAttribute(node, name, attribute, place),
    ),
  };
}

function toWireAttribute(node: Node, name: string, attribute: Attribute, place: PlaceWeight): Wire {
  const kind = kindOf(attribute);
  if (kind === "empty") {
    const spec = findOperator(node.operator, node.domain)?.attributes[name];
    return { name, type: spec?.kind === "strings" ? attributeTypes.strings : attributeTypes.ints };
  }
  const type = attributeTypes[kind];
  if (typeof attribute === "number") return { name, type, i: attribute };
  if (typeof attribute === "string") return { name, type, s: Buffer.from(attribute) };
  if ("float" in attribute) return { name, type, f: attribute.float };
  if ("floats" in attribute) return { name, type, floats: attribute.floats };
  if ("tensor" in attribute) return { name, type, t: toWireTensor(attribute.tensor) };
  if ("graph" in attribute) return { name, type, g: toWireGraph(attribute.graph, place) };
  return kind === "ints"
    ? { name, type, ints: attribute }
    : { name, type, strings: attribute.map((text) => Buffer.from(String(text))) };
}

function toWireTensor(tensor: Tensor, name = "", place?: WeightPlace): Wire {
  const head = { name, dims: tensor.shape, dataType: dtypeCode(tensor.dtype) };
  if (tensor.dtype === "string") return { ...head, stringData: tensor.data.map((text) => Buffer.from(text)) };
  if (place !== undefined) {
    const externalData = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }));
    return { ...head, externalData, dataLocation: 1 };
  }
  return { ...head, rawData: bytesOf(tensor) };
}

/** The elements of a tensor of numbers as ONNX stores them; a view where memory has that order. */
export function bytesOf(tensor: Tensor): Uint8Array {
  if (tensor.dtype === "string") return new Uint8Array();
  const { buffer, byteOffset, byteLength } = tensor.data;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return isLittleEndian ? bytes : swapped(bytes, dtypeBytes(tensor.dtype));
}

function toWireValue(value: Value): Wire {
  const shape = isUnknownShape(value.shape)
    ? {}
    : { shape: { dim: value.shape.map((dim) => (typeof dim === "string" ? { dimParam: dim } : { dimValue: dim })) } };
  return { name: value.name, type: { tensorType: { elemType: dtypeCode(value.dtype), ...shape } } };
}
