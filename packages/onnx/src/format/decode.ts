/** @file Bytes to models. Files come from outside: whatever the bytes, the answer is a model or an OnnxFormatError. */
import { OnnxError, OnnxFormatError } from "../errors.ts";
import type { Attribute, Graph, Model, Node, Value } from "../graph/graph.ts";
import { Names } from "../graph/names.ts";
import { withOwnOutputs } from "../graph/own-outputs.ts";
import { Scope } from "../graph/scope.ts";
import { inferBodyInputs, inferNode } from "../operators/infer.ts";
import type { BodyInputs, Inferred } from "../operators/operator.ts";
import { isUnknownShape, unknownShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { upgradedOpset, upgradeNode } from "../upgrade/upgrade.ts";
import { fromWireTensor } from "./decode-tensor.ts";
import { fromWireAttributes, fromWireValue } from "./decode-value.ts";
import type { ExternalData } from "./external-data.ts";
import { type DecodeLimits, scanMessage } from "./scan.ts";
import { attributeTypes } from "./schema.ts";
import {
  parseWire,
  toInt,
  type WireAttribute,
  type WireGraph,
  type WireModel,
  type WireNode,
  type WireValue,
} from "./wire.ts";

/**
 * Reads an ONNX file. Values get their types by the same inference as in `GraphBuilder`; where an operator has no rule
 * or does not fit, what the file declares stands, and `checkGraph` says what is wrong. Bodies that hand a value straight on
 * get an Identity (graph/own-outputs.ts).
 *
 * Weights in other files are read only with `external`: see `readModelFile`. Not read: functions, sparse tensors, sequences, maps, and element types without support.
 * @throws OnnxFormatError for bytes that are no ONNX model, for what is not read, for operators of old sets that have no
 * counterpart, and beyond the limits.
 */
export function decodeModel(bytes: Uint8Array, options: DecodeOptions = {}): Model {
  const model = decodeAsWritten(bytes, options);
  return { ...model, graph: withOwnOutputs(model.graph) };
}

/** As `decodeModel`, the outputs of bodies as the file has them. @throws OnnxFormatError */
export function decodeAsWritten(bytes: Uint8Array, options: DecodeOptions = {}): Model {
  scanMessage("ModelProto", bytes, options);
  const wire = parseWire(bytes);
  if (wire.graph === null) throw new OnnxFormatError("file", "expected an ONNX model, found no graph in it");
  if (wire.functions.length > 0)
    throw new OnnxFormatError("file", "models with functions are not supported; export with functions inlined");
  const opset = opsetOf(wire);
  const domains = wire.opsetImport
    .filter(({ domain, version }) => domain !== "" && domain !== "ai.onnx" && toInt("opset_import", version) !== 1)
    .map(({ domain, version }) => [domain, toInt("opset_import", version)] as const);
  const isOld = opset < upgradedOpset;
  const reading: Reading = {
    opset,
    names: isOld ? namesOf(wire.graph) : undefined,
    // until IR version 4 every weight is listed as an input too, and is no less a constant for it
    inputsListWeights: toInt("ir_version", wire.irVersion) < 4,
    external: options.external,
  };
  return {
    graph: fromWireGraph(reading, wire.graph, new Scope(), undefined),
    opset: isOld ? upgradedOpset : opset,
    ...(isOld ? { writtenOpset: opset } : {}),
    producer: wire.producerName,
    metadata: Object.fromEntries(wire.metadataProps.map(({ key, value }) => [key, value])),
    ...(domains.length === 0 ? {} : { domains: Object.fromEntries(domains) }),
  };
}

/** What holds for a whole file while it is read. */
interface Reading {
  readonly opset: number;
  /** Every name of the file, where nodes have to be added. */
  readonly names: Names | undefined;
  readonly inputsListWeights: boolean;
  readonly external: ExternalData | undefined;
}

/** How a model is read. */
export interface DecodeOptions extends DecodeLimits {
  /** Where weights in other files come from; a model that has some is refused when not said. */
  readonly external?: ExternalData;
}

/** @throws OnnxFormatError when the file names no version of ai.onnx, one below 1, or a set of operators twice. */
function opsetOf(wire: WireModel): number {
  const domains = wire.opsetImport.map(({ domain }) => (domain === "ai.onnx" ? "" : domain));
  const seen = new Set<string>();
  const twice = domains.find((domain) => seen.size === seen.add(domain).size);
  if (twice !== undefined)
    throw new OnnxFormatError(
      "opset_import",
      `expected one version for each set of operators, received several for "${twice === "" ? "ai.onnx" : twice}"`,
    );
  const set = wire.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  if (set === undefined) throw new OnnxFormatError("file", "the model does not say which opset it is written in");
  const opset = toInt("opset_import", set.version);
  if (opset < 1) throw new OnnxFormatError("file", `expected an opset from 1, received ${opset}`);
  return opset;
}

function namesOf(graph: WireGraph, names = new Names(), seen = new Set<string>()): Names {
  const add = (name: string): void => {
    if (!seen.has(name)) names.fresh(name);
    seen.add(name);
  };
  for (const { name } of [...graph.input, ...graph.initializer]) add(name);
  for (const node of graph.node) {
    add(node.name);
    for (const name of [...node.input, ...node.output]) add(name);
    for (const { g } of node.attribute) if (g !== null) namesOf(g, names, seen);
  }
  return names;
}

type Entering = readonly (Inferred | undefined)[] | undefined;

function fromWireGraph(reading: Reading, wire: WireGraph, scope: Scope, entering: Entering): Graph {
  if (wire.sparseInitializer.length > 0) throw new OnnxFormatError(wire.name, "sparse tensors are not supported");
  const weights = new Set(reading.inputsListWeights ? wire.initializer.map(({ name }) => name) : []);
  const inputs = wire.input
    .filter(({ name }) => !weights.has(name))
    .map((value, i) => fromWireValue(value, entering?.[i]));
  for (const input of inputs) scope.define(input);
  const inputNames = new Set(inputs.map((input) => input.name));
  const initializers = new Map<string, Tensor>(
    wire.initializer.map((tensor) => [
      tensor.name,
      fromWireTensor(`initializer "${tensor.name}"`, tensor, reading.external),
    ]),
  );
  if (initializers.size !== wire.initializer.length)
    throw new OnnxFormatError(wire.name, "two initializers have the same name");
  for (const [name, tensor] of initializers)
    if (!inputNames.has(name)) scope.define({ name, dtype: tensor.dtype, shape: tensor.shape }, tensor);
  const declared = new Map<string, WireValue>();
  for (const value of [...wire.valueInfo, ...wire.output]) declared.set(value.name, value);
  const nodes: Node[] = [];
  for (const node of wire.node) nodes.push(fromWireNode({ reading, scope, declared, nodes, initializers }, node));
  const outputs = wire.output.map((value) => fromWireValue(value, scope.find(value.name)));
  return { name: wire.name, inputs, outputs, initializers, nodes };
}

/** What is known where a node is read, and where the nodes and constants go that must come before it. */
interface Here {
  readonly reading: Reading;
  readonly scope: Scope;
  readonly declared: ReadonlyMap<string, WireValue>;
  readonly nodes: Node[];
  readonly initializers: Map<string, Tensor>;
}

function fromWireNode(here: Here, wire: WireNode): Node {
  const { reading, scope, declared } = here;
  const name = wire.name === "" ? (wire.output[0] ?? (wire.opType || "node")) : wire.name;
  if (wire.opType === "") throw new OnnxFormatError(name, "expected the name of an operator, received none");
  if (wire.overload !== "") throw new OnnxFormatError(name, "overloads of operators are not supported");
  const declaredType = (output: string): Value => {
    const value = declared.get(output);
    return value === undefined ? unknown(output) : fromWireValue(value, undefined);
  };
  const domain = wire.domain === "ai.onnx" ? "" : wire.domain;
  const plain = fromWireAttributes(name, wire.attribute, reading.external);
  const written = {
    where: name,
    operator: wire.opType,
    inputs: wire.input.map((input) => (input === "" ? undefined : (scope.find(input) ?? declaredType(input)))),
    outputs: wire.output.map((output) => (output === "" ? undefined : output)),
    attributes: plain,
  };
  const { opset, names } = reading;
  const upgraded = names === undefined || domain !== "" ? written : upgradeNode(written, { ...here, opset, names });
  const use = { ...upgraded, domain };
  const entering = orNothing((): BodyInputs => inferBodyInputs(use, scope)) ?? {};
  const bodies = wire.attribute.filter(({ type }) => type === attributeTypes.graph);
  const attributes =
    bodies.length === 0
      ? use.attributes
      : // in the file's order, so that the same bytes come out again
        Object.fromEntries(
          wire.attribute.map((attribute) => [
            attribute.name,
            (Object.hasOwn(plain, attribute.name) ? plain[attribute.name] : undefined) ??
              fromWireBody(reading, name, attribute, scope, entering),
          ]),
        );
  const results = use.inputs.some((value) => value !== undefined && isUnknownShape(value.shape))
    ? undefined
    : orNothing(() => inferNode({ ...use, attributes }, scope));
  const outputs = use.outputs.map((output, i): Value | undefined => {
    if (output === undefined) return undefined;
    const result = results?.[i];
    return result === undefined
      ? declaredType(output)
      : { name: output, dtype: result.dtype, shape: isUnknownShape(result.shape) ? unknownShape : [...result.shape] };
  });
  const node: Node = { name, operator: use.operator, domain, inputs: use.inputs, outputs, attributes };
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

function fromWireBody(
  reading: Reading,
  node: string,
  wire: WireAttribute,
  scope: Scope,
  entering: BodyInputs,
): Attribute {
  if (wire.g === null) throw new OnnxFormatError(node, `attribute ${wire.name} says it is a graph and has none`);
  const inputs = Object.hasOwn(entering, wire.name) ? entering[wire.name] : undefined;
  return { graph: fromWireGraph(reading, wire.g, new Scope(scope), inputs) };
}
