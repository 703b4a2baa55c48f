/**
 * @file Reverse-mode differentiation: the nodes of a graph are walked back from the last to the first, and each hands the
 * gradients of its outputs to its inputs, by the rule of its operator. What comes in on several ways is added.
 */
import { isFloating, type Node, type OperatorName, operators, type Value } from "@gristmill/onnx";
import { NnError, type Problem } from "../errors.ts";
import { type GraphMath, sizesOf } from "../graph/graph-math.ts";
import { plus } from "./broadcast.ts";
import { callOf, readsOf, type WayBack } from "./gradient-call.ts";
import { GradientError, unsupported } from "./gradient-error.ts";
import { Recomputation } from "./recompute.ts";
import type { GradientEntry, GradientRule, Seed } from "./rule.ts";
import { gradientRules } from "./table.ts";

/** How gradients are taken. */
export interface GradientOptions {
  /**
   * Scopes ("encoder_3") whose nodes are computed a second time on the way back instead of being kept: less memory for one
   * more forward pass. The numbers stay the same. Prune the graph afterwards: copies that nothing needs are written too.
   */
  readonly recompute?: readonly string[];
}

/**
 * Writes the gradients of `wanted` into the graph of `math`, which must hold all nodes between them and the seed.
 *
 * - Shapes: each gradient has its value's shape; all sizes on the way are known.
 * - A value that the seed does not depend on gets zeros.
 * @throws GradientError listing every operator on the way that has no rule.
 */
export function gradients(
  math: GraphMath,
  seed: Seed,
  wanted: readonly Value[],
  options: GradientOptions = {},
): Value[] {
  const tape = [...math.builder.nodes];
  const again = new Recomputation(math, tape, options.recompute ?? [], wanted);
  const found = walkBack(math, tape, [seed], wanted, again);
  return wanted.map((value, i) => found[i] ?? math.filled(sizesOf(value), 0, value.dtype));
}

/** The walk back along a tape of nodes; undefined for what no seed depends on. */
const differentiate: WayBack["differentiate"] = (math, tape, seeds, wanted) =>
  walkBack(math, tape, seeds, wanted, new Recomputation(math, tape, [], wanted));

function walkBack(
  math: GraphMath,
  tape: readonly Node[],
  seeds: readonly Seed[],
  wanted: readonly Value[],
  again: Recomputation,
): (Value | undefined)[] {
  const needed = reached(tape, wanted);
  const found = new Map<Value, Value>();
  const problems: Problem[] = [];
  const give = (value: Value, gradient: Value): void => {
    const before = found.get(value);
    found.set(value, before === undefined ? gradient : plus(math, before, gradient));
  };
  for (const { value, gradient } of seeds) give(value, gradient);
  for (const node of [...tape].reverse()) {
    const isOnTheWay = node.outputs.some((output) => output !== undefined && found.has(output) && needed.has(output));
    if (!isOnTheWay) continue;
    const rule = ruleOf(node);
    if (rule === undefined) continue;
    const reads = readsOf(node);
    const given = math.builder.within("gradient", () => {
      try {
        const call = callOf({ math, found, needed, differentiate }, node, again.shown(node, found));
        return rule(call);
      } catch (cause) {
        if (!(cause instanceof GradientError)) throw cause;
        problems.push(...cause.problems);
        return reads.map((value) => standIn(math, value)); // to find what else is missing
      }
    });
    given.forEach((gradient, i) => {
      const input = reads[i];
      if (gradient === undefined || input === undefined || !needed.has(input)) return;
      assertSameShape(node, input, gradient);
      give(input, gradient);
    });
  }
  if (problems.length > 0) throw new GradientError(problems.reverse());
  return wanted.map((value) => found.get(value));
}

/** All values that depend on the wanted ones, and those themselves. */
function reached(tape: readonly Node[], wanted: readonly Value[]): ReadonlySet<Value> {
  const needed = new Set<Value>(wanted);
  for (const node of tape)
    if (readsOf(node).some((input) => input !== undefined && needed.has(input)))
      for (const output of node.outputs) if (output !== undefined) needed.add(output);
  return needed;
}

const isOperatorName = (name: string): name is OperatorName => Object.hasOwn(operators, name);

/** The rule of a node; undefined where gradients end. */
function ruleOf(node: Node): GradientRule | undefined {
  const refused = (why: string) => (): never => {
    throw unsupported(node, why);
  };
  if (node.domain !== "" || !isOperatorName(node.operator)) return refused("the operator is not in the table");
  // The entry takes the settings of its own operator, which are the ones that callOf reads from this same node.
  const entry = gradientRules[node.operator] as GradientEntry<OperatorName>;
  if (entry === "nonDifferentiable") return undefined;
  return entry === "noRule" ? refused("nobody has written its rule yet") : entry;
}

/** A gradient in place of one that is missing, where a value can have one. */
const standIn = (math: GraphMath, value: Value | undefined): Value | undefined =>
  value !== undefined && isFloating(value.dtype) ? math.filled(sizesOf(value), 0, value.dtype) : undefined;

function assertSameShape(node: Node, input: Value, gradient: Value): void {
  const [expected, received] = [sizesOf(input), sizesOf(gradient)];
  if (expected.length !== received.length || expected.some((size, i) => size !== received[i]))
    throw new NnError(
      `${node.name}: the rule of ${node.operator} must give "${input.name}" a gradient of [${expected}], gave [${received}]`,
    );
}
