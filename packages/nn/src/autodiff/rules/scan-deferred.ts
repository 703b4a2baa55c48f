/**
 * @file Gradients of weights that a recurrence reads, from all steps at once. A step's share in the gradient of a matrix
 * is a product with as many rows as the batch; the sum of all shares is one product with as many rows as batch times
 * steps, which a processor does several times faster, and nothing has to be added up on the way.
 */
import { type Graph, type Node, type OperatorName, settingsOf, type Value } from "@gristmill/onnx";
import { capturedValues } from "../../graph/captured.ts";
import { type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import { sumTo } from "../broadcast.ts";

/** One use of a captured value whose share of the gradient is written behind the backward Scan. */
export interface DeferredUse {
  /** Inner value whose gradient is stacked. */
  readonly result: Value;
  /** Inner value that is stacked beside it. */
  readonly operand: Value | undefined;
  /** The share, from stacks [steps, ...] of the gradient and the operand. */
  share(math: GraphMath, slopes: Value, operands: Value | undefined): Value;
}

type Deferral = (node: Node, captured: Value) => Omit<DeferredUse, "result"> | undefined;

/** Each row of the last axis. */
const rowsOf = (math: GraphMath, x: Value): Value => math.reshape(x, [-1, sizesOf(x).at(-1) ?? 1]);

/** dW = Aᵀ dY over the rows of all steps, or dYᵀ A where W is turned. */
const productShare =
  (alpha: number, isTurned: boolean): DeferredUse["share"] =>
  (math, slopes, operands) => {
    if (operands === undefined) throw new Error("a product's share needs its left operand");
    const [a, dy] = [rowsOf(math, operands), rowsOf(math, slopes)];
    const product = isTurned ? math.product(dy, a, { transA: true }) : math.product(a, dy, { transA: true });
    return alpha === 1 ? product : math.mul(product, alpha);
  };

/** What was added in each step gets the sum of all slopes. */
const sumShare = (captured: Value, factor = 1): Omit<DeferredUse, "result"> => ({
  operand: undefined,
  share(math, slopes) {
    const sum = sumTo(math, slopes, captured);
    return factor === 1 ? sum : math.mul(sum, factor);
  },
});

/** How each operator's use of a captured value is put off; undefined where it is not, as for any other operator. */
const deferrals: { readonly [O in OperatorName]?: Deferral } = {
  MatMul: (node, captured) => {
    const [a, b] = node.inputs;
    const isWeight = b?.name === captured.name && a?.name !== captured.name && captured.shape.length === 2;
    return isWeight && a !== undefined && a.shape.length > 1
      ? { operand: a, share: productShare(1, false) }
      : undefined;
  },
  Gemm: (node, captured) => {
    const { alpha, beta, transA, transB } = settingsOf("Gemm", node);
    const places = node.inputs.flatMap((input, i) => (input?.name === captured.name ? [i] : []));
    if (places.length !== 1) return undefined;
    if (places[0] === 2) return sumShare(captured, beta);
    return places[0] === 1 && transA === 0 && node.inputs[0] !== undefined
      ? { operand: node.inputs[0], share: productShare(alpha, transB !== 0) }
      : undefined;
  },
  Add: (_node, captured) => sumShare(captured),
  Sub: (node, captured) => (node.inputs[1]?.name === captured.name ? sumShare(captured, -1) : sumShare(captured)),
};

/** All uses of a captured value in a body, or undefined where one of them cannot be put off. */
export function deferredUses(body: Graph, captured: Value): DeferredUse[] | undefined {
  const uses: DeferredUse[] = [];
  const isInner = innerNames(body);
  for (const node of body.nodes) {
    if (capturedValues(node).some(({ name }) => name === captured.name)) return undefined;
    const places = node.inputs.filter((input) => input?.name === captured.name);
    if (places.length === 0) continue;
    const defer = node.domain === "" ? deferrals[node.operator as OperatorName] : undefined;
    const use = places.length === 1 ? defer?.(node, captured) : undefined;
    const [result] = node.outputs;
    if (use === undefined || result === undefined) return undefined;
    if (use.operand !== undefined && !isInner.has(use.operand.name)) return undefined;
    uses.push({ ...use, result });
  }
  return body.outputs.some(({ name }) => name === captured.name) ? undefined : uses;
}

/** Names of values that differ from step to step. */
function innerNames({ inputs, nodes }: Graph): ReadonlySet<string> {
  const names = new Set(inputs.map(({ name }) => name));
  for (const { outputs, operator } of nodes)
    for (const output of outputs) if (output !== undefined && operator !== "Constant") names.add(output.name);
  return names;
}
