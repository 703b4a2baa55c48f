/** @file The checker: says of a whole model what is wrong, and where. */
import { OnnxError } from "../errors.ts";
import { inferNode } from "../operators/infer.ts";
import type { Inferred } from "../operators/operator.ts";
import { findOperator } from "../operators/table.ts";
import { elementCount, formatShape, isUnknownShape, type Shape } from "../shape.ts";
import type { Graph, Model, Node, Value } from "./graph.ts";
import { orderProblems } from "./order.ts";
import type { Problem } from "./problem.ts";
import { Scope } from "./scope.ts";

/** Oldest operator set whose rules the table follows. */
const oldestOpset = 19;

/** Everything wrong with a model; empty when nothing is. Never throws, whatever the model. */
export function checkGraph(model: Model): readonly Problem[] {
  const problems: Problem[] = [];
  if (!Number.isInteger(model.opset) || model.opset < oldestOpset)
    problems.push({
      where: model.graph.name,
      message: `expected opset ${oldestOpset} or newer, received ${model.opset}; convert the model`,
    });
  new Checker(model.opset, problems).check(model.graph, new Scope(), "");
  return problems;
}

/** @throws OnnxError listing all problems of a model. */
export function assertModel(model: Model): void {
  throwProblems(model.graph.name, checkGraph(model));
}

/** @throws OnnxError listing all problems of a graph, whatever operator set it will be written in. */
export function assertGraph(graph: Graph): void {
  const problems: Problem[] = [];
  new Checker(Number.POSITIVE_INFINITY, problems).check(graph, new Scope(), "");
  throwProblems(graph.name, problems);
}

function throwProblems(where: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const list = problems.map((problem) => `\n- ${problem.where}: ${problem.message}`).join("");
  throw new OnnxError(where, `the graph has ${problems.length} problem${problems.length === 1 ? "" : "s"}:${list}`);
}

class Checker {
  readonly #opset: number;
  readonly #problems: Problem[];

  constructor(opset: number, problems: Problem[]) {
    this.#opset = opset;
    this.#problems = problems;
  }

  check(graph: Graph, scope: Scope, path: string): void {
    const report = (where: string, message: string): void => {
      this.#problems.push({ where: `${path}${where}`, message });
    };
    const own = new Set<string>();
    this.#checkEntries(graph, scope, own, report);
    for (const problem of orderProblems(graph, (name) => scope.find(name) !== undefined, path))
      this.#problems.push(problem);
    for (const node of graph.nodes) {
      const results = this.#checkNode(node, scope, path, report);
      for (const value of node.outputs)
        if (value !== undefined) claim(value.name, `node "${node.name}"`, own, scope, report);
      scope.defineOutputs(node, results);
    }
    if (graph.outputs.length === 0) report(graph.name, "the graph has no outputs; name at least one");
    const given = new Set<string>();
    for (const output of graph.outputs) {
      if (given.has(output.name)) report(output.name, "this output is listed twice");
      given.add(output.name);
      const found = scope.find(output.name);
      if (found === undefined) report(output.name, "expected a node that makes this output, found none");
      else compare(output.name, "declared as graph output", output, found, report);
    }
  }

  #checkEntries(graph: Graph, scope: Scope, own: Set<string>, report: Report): void {
    for (const input of graph.inputs) {
      claim(input.name, "a graph input", own, scope, report);
      scope.define(input);
    }
    const inputs = new Map(graph.inputs.map((input) => [input.name, input]));
    for (const [name, constant] of graph.initializers) {
      const value = { name, dtype: constant.dtype, shape: constant.shape };
      const count = elementCount(constant.shape);
      if (constant.data.length !== count)
        report(name, `expected ${count} elements for ${formatShape(constant.shape)}, received ${constant.data.length}`);
      const input = inputs.get(name);
      // an initializer with the name of an input is that input's default, and so no constant
      if (input !== undefined) compare(name, "declared as input", input, value, report);
      else {
        claim(name, "an initializer", own, scope, report);
        scope.define(value, constant);
      }
    }
  }

  /** Reports a node's faults; gives what its rule says, or what the node declares where the rule cannot say. */
  #checkNode(node: Node, scope: Scope, path: string, report: Report): readonly Inferred[] {
    const declared = node.outputs.map((value) => value ?? { dtype: "float32" as const, shape: [] });
    let whole = true;
    for (const value of node.inputs) {
      if (value === undefined) continue;
      const found = scope.find(value.name);
      if (found === undefined) whole = false;
      else compare(node.name, `input "${value.name}"`, value, found, report);
      if (isUnknownShape(value.shape)) whole = false;
    }
    for (const [name, attribute] of Object.entries(node.attributes))
      if (typeof attribute === "object" && "graph" in attribute)
        this.check(attribute.graph, new Scope(scope), `${path}${node.name}.${name}: `);
    const entry = findOperator(node.operator, node.domain);
    if (entry !== undefined && entry.since > this.#opset)
      report(node.name, `${node.operator} needs opset ${entry.since}, the model is written in opset ${this.#opset}`);
    // a missing or unknown input has its own problem; a rule could only repeat it
    if (!whole && entry !== undefined) return declared;
    try {
      const results = inferNode(
        { ...node, where: node.name, outputs: node.outputs.map((value) => value?.name) },
        scope,
      );
      for (const [i, value] of node.outputs.entries()) {
        const result = results[i];
        if (value !== undefined && result !== undefined)
          compare(node.name, `output "${value.name}"`, value, result, report);
      }
      return results;
    } catch (error) {
      if (!(error instanceof OnnxError)) throw error;
      report(node.name, error.message.slice(error.where.length + 2));
      return declared;
    }
  }
}

type Report = (where: string, message: string) => void;

function claim(name: string, as: string, own: Set<string>, scope: Scope, report: Report): void {
  if (name === "") report(as, "expected a name, received none");
  else if (own.has(name)) report(name, `defined twice, the second time as ${as}; each name is used once`);
  else if (scope.find(name) !== undefined) report(name, `${as} hides a value of an outer graph with the same name`);
  own.add(name);
}

/** Reports types that cannot both be right: other element types, other numbers of axes, other known sizes. */
function compare(where: string, what: string, declared: Typed, actual: Typed, report: Report): void {
  if (declared.dtype !== actual.dtype) report(where, `${what} is declared ${declared.dtype}, but is ${actual.dtype}`);
  else if (!compatible(declared.shape, actual.shape))
    report(where, `${what} is declared ${formatShape(declared.shape)}, but is ${formatShape(actual.shape)}`);
}

type Typed = Pick<Value, "dtype" | "shape">;

function compatible(a: Shape, b: Shape): boolean {
  if (isUnknownShape(a) || isUnknownShape(b)) return true;
  return (
    a.length === b.length && a.every((dim, i) => dim === b[i] || typeof dim === "string" || typeof b[i] === "string")
  );
}
