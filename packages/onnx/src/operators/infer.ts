/** @file Element types and shapes of a node's outputs, by the operator's rule in the table. */
import { DtypeError, OnnxError, ShapeError } from "../errors.ts";
import type { Attributes, Value } from "../graph/graph.ts";
import { type Dim, formatShape, isUnknownShape, mostAxes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { AttributeSpecs, Resolved } from "./attribute.ts";
import { contentsOfTensor } from "./contents.ts";
import type { BodyInputs, Call, Inferred, Operator } from "./operator.ts";
import { resolveAttributes } from "./settings.ts";
import { findOperator } from "./table.ts";

/** One node before its outputs have types. */
export interface Use {
  readonly where: string;
  readonly operator: string;
  readonly domain: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  /** Names of the outputs; undefined for one that nobody wants. */
  readonly outputs: readonly (string | undefined)[];
}

/** What is known about values beyond their types. */
export interface Knowledge {
  constant(value: Value): Tensor | undefined;
  contents(value: Value): readonly Dim[] | undefined;
}

/**
 * Element type and shape of each output.
 * @throws OnnxError when the operator is unknown, or has not so many inputs, outputs or such attributes.
 * @throws ShapeError, DtypeError when the inputs do not fit the operator.
 */
export function inferNode(use: Use, knowledge: Knowledge): readonly Inferred[] {
  const entry = entryOf(use);
  const results = entry.infer(callOf(use, entry, knowledge));
  if (results.length < use.outputs.length)
    throw new OnnxError(
      use.where,
      `${use.operator} gives ${results.length} outputs here, asked for ${use.outputs.length}`,
    );
  for (const { shape } of results) {
    if (shape.length > mostAxes)
      throw new ShapeError(use.where, `expected at most ${mostAxes} axes, received ${shape.length}`);
    if (shape.some((dim) => typeof dim === "number" && (!Number.isSafeInteger(dim) || dim < 0)))
      throw new ShapeError(use.where, `expected sizes from 0 to 2^53, received ${formatShape(shape)}`);
  }
  return results.slice(0, use.outputs.length);
}

/**
 * What enters the bodies of a node, where the node's inputs tell it.
 * @throws OnnxError when the node is wrong.
 */
export function inferBodyInputs(use: Use, knowledge: Knowledge): BodyInputs {
  const entry = findOperator(use.operator, use.domain);
  if (entry?.bodyInputs === undefined) return {};
  // the bodies are not there yet
  const attributes = Object.fromEntries(Object.entries(entry.attributes).filter(([, spec]) => spec.kind !== "graph"));
  return entry.bodyInputs(callOf(use, { ...entry, attributes }, knowledge));
}

function entryOf(use: Use): Operator {
  const entry = findOperator(use.operator, use.domain);
  if (entry === undefined) {
    const name = use.domain === "" ? use.operator : `${use.domain}.${use.operator}`;
    throw new OnnxError(use.where, `operator ${name} has no rule in this package's table of operators`);
  }
  checkCount(use, "inputs", use.inputs.length, entry.inputs);
  checkCount(use, "outputs", use.outputs.length, entry.outputs);
  return entry;
}

function checkCount(use: Use, what: string, count: number, [least, most]: readonly [number, number]): void {
  if (count >= least && count <= most) return;
  const expected =
    most === Number.POSITIVE_INFINITY ? `at least ${least}` : least === most ? `${least}` : `${least} to ${most}`;
  throw new OnnxError(use.where, `${use.operator} takes ${expected} ${what}, received ${count}`);
}

function callOf(use: Use, entry: Operator, knowledge: Knowledge): Call {
  const { where, inputs } = use;
  const attributes: Resolved<AttributeSpecs> = resolveAttributes(where, entry.attributes, use.attributes);
  for (const value of inputs)
    if (value !== undefined && isUnknownShape(value.shape))
      throw new ShapeError(where, `the shape of "${value.name}" is unknown: the node that makes it has no rule`);
  const contents = (index: number): readonly Dim[] | undefined => {
    const value = inputs[index];
    if (value === undefined) return undefined;
    const tensor = knowledge.constant(value);
    return tensor === undefined ? knowledge.contents(value) : contentsOfTensor(tensor);
  };
  return {
    where,
    inputs,
    attributes,
    outputCount: use.outputs.length,
    input: (index) => {
      const value = inputs[index];
      if (value === undefined) throw new OnnxError(where, `${use.operator} needs its input ${index}`);
      return value;
    },
    constant: (index) => {
      const value = inputs[index];
      return value === undefined ? undefined : knowledge.constant(value);
    },
    contents,
    numbers: (index) => {
      const found = contents(index);
      return found?.every((dim) => typeof dim === "number") ? found : undefined;
    },
    fresh: (hint) => `${use.outputs.find((name) => name !== undefined) ?? where}.${hint}`,
    shapeError: (expected, received) => new ShapeError(where, `expected ${expected}, received ${received}`),
    dtypeError: (expected, received) => new DtypeError(where, `expected ${expected}, received ${received}`),
  };
}
