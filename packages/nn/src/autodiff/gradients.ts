/**
 * @file Reverse-mode differentiation: the nodes of a graph are walked back from the last to the first, and each hands the
 * gradients of its outputs to its inputs, by the rule of its operator. What comes in on several ways is added.
 */
import { type Node, type OperatorName, operators, settingsOf, type Value } from "@gristmill/onnx";
import { NnError } from "../errors.ts";
import { capturedValues } from "../graph/captured.ts";
import { type GraphMath, sizesOf } from "../graph/graph-math.ts";
import type { GradientCall, GradientEntry, Seed } from "./rule.ts";
import { gradientRules } from "./table.ts";

/**
 * Writes the gradients of `wanted` into the graph of `math`, which must hold all nodes between them and the seed.
 *
 * - Shapes: each gradient has its value's shape; all sizes on the way are known.
 * - A value that the seed does not depend on gets zeros.
 * @throws NnError when an operator on the way has no rule.
 */
export function gradients(math: GraphMath, seed: Seed, wanted: readonly Value[]): Value[] {
  const found = differentiate(math, math.builder.nodes, [seed], wanted);
  return wanted.map((value, i) => found[i] ?? math.filled(sizesOf(value), 0, value.dtype));
}

/** The walk back along a tape of nodes; undefined for what no seed depends on. */
function differentiate(
  math: GraphMath,
  tape: readonly Node[],
  seeds: readonly Seed[],
  wanted: readonly Value[],
): (Value | undefined)[] {
  const needed = reached(tape, wanted);
  const found = new Map<Value, Value>();
  const give = (value: Value, gradient: Value): void => {
    const before = found.get(value);
    found.set(value, before === undefined ? gradient : math.add(before, gradient));
  };
  for (const { value, gradient } of seeds) give(value, gradient);
  for (const node of [...tape].reverse()) {
    const isOnTheWay = node.outputs.some((output) => output !== undefined && found.has(output) && needed.has(output));
    if (!isOnTheWay) continue;
    const entry = entryOf(node);
    if (entry === "nonDifferentiable") continue;
    if (entry === "noRule") throw unsupported(node, "nobody has written its rule yet");
    const reads = readsOf(node);
    const given = math.builder.within("gradient", () => entry(callOf(math, node, found, needed)));
    given.forEach((gradient, i) => {
      const input = reads[i];
      if (gradient === undefined || input === undefined || !needed.has(input)) return;
      assertSameShape(node, input, gradient);
      give(input, gradient);
    });
  }
  return wanted.map((value) => found.get(value));
}

/** A node's inputs, then what the graphs inside it capture. */
const readsOf = (node: Node): (Value | undefined)[] => [...node.inputs, ...capturedValues(node)];

/** All values that depend on the wanted ones, and those themselves. */
function reached(tape: readonly Node[], wanted: readonly Value[]): ReadonlySet<Value> {
  const needed = new Set<Value>(wanted);
  for (const node of tape)
    if (readsOf(node).some((input) => input !== undefined && needed.has(input)))
      for (const output of node.outputs) if (output !== undefined) needed.add(output);
  return needed;
}

const isOperatorName = (name: string): name is OperatorName => Object.hasOwn(operators, name);

function entryOf(node: Node): GradientEntry<OperatorName> {
  if (node.domain !== "" || !isOperatorName(node.operator)) throw unsupported(node, "the operator is not in the table");
  // The entry takes the settings of its own operator, which are the ones that callOf reads from this same node.
  return gradientRules[node.operator] as GradientEntry<OperatorName>;
}

const unsupported = (node: Node, why: string): NnError =>
  new NnError(`${node.name}: ${node.operator} has no gradient here: ${why}`);

function callOf(
  math: GraphMath,
  node: Node,
  found: ReadonlyMap<Value, Value>,
  needed: ReadonlySet<Value>,
): GradientCall {
  const captured = capturedValues(node);
  const gradient = (index: number): Value | undefined => {
    const output = node.outputs[index];
    return output && found.get(output);
  };
  const present = (list: readonly (Value | undefined)[], index: number, what: string): Value => {
    const value = list[index];
    if (value === undefined) throw unsupported(node, `${what} ${index} is missing`);
    return value;
  };
  const constant: GradientCall["constant"] = (index) => {
    const input = node.inputs[index];
    return input && math.builder.constantOf(input);
  };
  return {
    math,
    node,
    settings: settingsOf(node.operator as OperatorName, node),
    // a rule for the first output alone may be asked when only another one has a gradient
    get dy() {
      const first = present(node.outputs, 0, "output");
      return gradient(0) ?? math.filled(sizesOf(first), 0, first.dtype);
    },
    gradient,
    input: (index) => present(node.inputs, index, "input"),
    output: (index) => present(node.outputs, index, "output"),
    captured,
    needs: (index) => {
      const input = index < node.inputs.length ? node.inputs[index] : captured[index - node.inputs.length];
      return input !== undefined && needed.has(input);
    },
    constant,
    ints: (index) => {
      const tensor = constant(index);
      if (tensor === undefined || tensor.dtype === "string")
        throw unsupported(node, `input ${index} must be a constant`);
      return Array.from<number | bigint, number>(tensor.data, Number);
    },
    differentiate,
    unsupported: (why) => unsupported(node, why),
  };
}

function assertSameShape(node: Node, input: Value, gradient: Value): void {
  const [expected, received] = [sizesOf(input), sizesOf(gradient)];
  if (expected.length !== received.length || expected.some((size, i) => size !== received[i]))
    throw new NnError(
      `${node.name}: the rule of ${node.operator} must give "${input.name}" a gradient of [${expected}], gave [${received}]`,
    );
}
