/** @file Nodes of older operator sets become nodes of the set that the table of operators follows. */
import { OnnxError, OnnxFormatError } from "../errors.ts";
import type { Node, Value } from "../graph/graph.ts";
import { defaultOpset } from "../graph/model.ts";
import type { Names } from "../graph/names.ts";
import type { Scope } from "../graph/scope.ts";
import { inferNode } from "../operators/infer.ts";
import { keepAttributes } from "../operators/settings.ts";
import { findOperator } from "../operators/table.ts";
import type { Tensor } from "../tensor.ts";
import type { OldNode, Workbench } from "./step.ts";
import { everywhere, upgrades } from "./table.ts";

/** Operator set that older models are read as. */
export const upgradedOpset = defaultOpset;

/** Where a node is rewritten. */
export interface Place {
  readonly opset: number;
  readonly names: Names;
  readonly scope: Scope;
  /** Where nodes that come before go. */
  readonly nodes: Node[];
  /** Where new constants go. */
  readonly initializers: Map<string, Tensor>;
}

/**
 * A node as the table's operator set writes it; what must come before it is put in place.
 * @throws OnnxFormatError for what has no counterpart.
 */
export function upgradeNode(node: OldNode, place: Place): OldNode {
  const steps = [...everywhere, ...(upgrades.get(node.operator) ?? [])].filter(({ before }) => place.opset < before);
  const bench = steps.length === 0 ? undefined : workbench(node, place);
  return bench === undefined ? node : steps.reduce((old, { step }) => step(old, bench), node);
}

function workbench({ where, operator }: OldNode, { opset, names, scope, nodes, initializers }: Place): Workbench {
  const refuse = (why: string, cause?: unknown): never => {
    const message = `${operator} of opset ${opset} cannot be read as opset ${upgradedOpset}: ${why}`;
    throw new OnnxFormatError(where, `${message}; export the model in a newer opset`, { cause });
  };
  const orRefused = <T>(infer: () => T): T => {
    try {
      return infer();
    } catch (error) {
      if (error instanceof OnnxError) return refuse(error.message, error);
      throw error;
    }
  };
  const define = (value: Value, constant?: Tensor): Value => {
    scope.define(value, constant);
    return value;
  };
  return {
    constant: (hint, value) => {
      const name = names.fresh(`${where}/${hint}`);
      initializers.set(name, value);
      return define({ name, dtype: value.dtype, shape: value.shape }, value);
    },
    insert: (inserted, inputs, attributes) => {
      const name = names.fresh(`${where}/${inserted}`);
      const kept = keepAttributes(name, findOperator(inserted)?.attributes ?? {}, attributes ?? {});
      const use = { where: name, operator: inserted, domain: "", inputs, attributes: kept, outputs: [name] };
      const results = orRefused(() => inferNode(use, scope));
      const outputs = results.map(({ dtype, shape }): Value => ({ name, dtype, shape: [...shape] }));
      const made: Node = { name, operator: inserted, domain: "", inputs, outputs, attributes: kept };
      nodes.push(made);
      scope.defineOutputs(made, results);
      return outputs[0] ?? { name, dtype: "float32", shape: [] };
    },
    constantOf: (value) => (value === undefined ? undefined : scope.constant(value)),
    refuse,
  };
}
