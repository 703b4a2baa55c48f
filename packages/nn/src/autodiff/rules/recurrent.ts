/** @file Gradients of RNN, GRU and LSTM as single operators: each direction is written out as a Scan. */
import type { Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import { scan } from "../../graph/scan.ts";
import type { GradientCall, GradientTable } from "../rule.ts";
import { writtenOut } from "../written-out.ts";

type Call = GradientCall<"RNN"> | GradientCall<"GRU"> | GradientCall<"LSTM">;
type Activation = "Sigmoid" | "Tanh" | "Relu";

/** One direction of a node. */
interface Direction {
  readonly index: number;
  /** x times the weights and all that is added before the step: [steps, batch, gates * units]. */
  readonly projected: Value;
  /** [units, gates * units] */
  readonly recurrent: Value;
  /** The recurrent bias [gates * units], where it is not part of `projected`. */
  readonly bias: Value | undefined;
  readonly units: number;
  readonly backwards: boolean;
  readonly activations: readonly Activation[];
}

/** A cell: the next states, the first of which is what is put out. */
type Cell = (math: GraphMath, x: Value, states: readonly Value[]) => readonly Value[];

const known: readonly string[] = ["Sigmoid", "Tanh", "Relu"];
const isKnown = (name: string): name is Activation => known.includes(name);

function activationsOf(call: Call, index: number, usual: readonly Activation[]): readonly Activation[] {
  const given = call.settings.activations?.slice(index * usual.length, (index + 1) * usual.length) ?? [...usual];
  if (!given.every(isKnown))
    throw call.unsupported(`expected activations ${known.join(", ")}, received ${given.join(", ")}`);
  return given;
}

/** Part `index` of a value's first axis. */
function row(math: GraphMath, value: Value, index: number): Value {
  const [, ...rest] = sizesOf(value);
  return math.reshape(math.slice(value, [0], [index], [index + 1]), rest);
}

/** Part `index` of so many equal ones on the last axis. */
const gate = (math: GraphMath, value: Value, index: number, units: number): Value =>
  math.slice(value, [-1], [index * units], [(index + 1) * units]);

/** @param keepsBias the recurrent bias is wanted for itself */
function directionsOf(call: Call, usual: readonly Activation[], keepsBias: boolean): Direction[] {
  const { math, settings } = call;
  const { clip, direction, layout } = settings;
  if (clip !== undefined || settings.activation_alpha !== undefined || settings.activation_beta !== undefined)
    throw call.unsupported("attributes clip, activation_alpha and activation_beta have no rule");
  if (layout !== 0) throw call.unsupported("layout 1 does not run: put the steps first");
  const [steps = 1, batch = 1, features = 1] = sizesOf(call.input(0));
  const [count = 1, wide = 1, units = 1] = sizesOf(call.input(2));
  const rows = math.reshape(call.input(0), [steps * batch, features]);
  return Array.from({ length: count }, (_, index) => {
    const product = math.product(rows, row(math, call.input(1), index), { transB: true });
    const both = call.node.inputs[3] === undefined ? undefined : row(math, call.input(3), index);
    const [own, bias] = both ? [math.slice(both, [0], [0], [wide]), math.slice(both, [0], [wide], [2 * wide])] : [];
    const early = own && bias && (keepsBias ? own : math.add(own, bias));
    return {
      index,
      projected: math.reshape(early ? math.add(product, early) : product, [steps, batch, wide]),
      recurrent: math.transpose(row(math, call.input(2), index), [1, 0]),
      bias: keepsBias ? bias : undefined,
      units,
      backwards: direction === "reverse" || index === 1,
      activations: activationsOf(call, index, usual),
    };
  });
}

/** Runs a cell over the steps of each direction, from the states of the inputs named; gives the node's outputs. */
function run(
  call: Call,
  directions: readonly Direction[],
  stateInputs: readonly number[],
  cellOf: (d: Direction) => Cell,
) {
  const { math } = call;
  const [steps = 1, batch = 1] = sizesOf(call.input(0));
  const lengths = call.node.inputs[4];
  const walks = directions.map((direction) => {
    const cell = cellOf(direction);
    const { index, projected, units, backwards } = direction;
    const states = stateInputs.map((input) =>
      call.node.inputs[input] === undefined
        ? math.filled([batch, units], 0, projected.dtype)
        : row(math, call.input(input), index),
    );
    const isStep = lengths && stepsUpTo(math, lengths, steps);
    return scan(math, {
      states,
      sequences: isStep === undefined ? [projected] : [projected, isStep],
      backwards,
      step(inner, before, [x, isInside]) {
        if (x === undefined) throw new Error("a recurrence without a sequence");
        const after = cell(inner, x, before);
        if (isInside === undefined) return { states: after, rows: after.slice(0, 1) };
        const held = after.map((value, i) => inner.where(isInside, value, before[i] ?? value));
        return { states: held, rows: after.slice(0, 1).map((value) => inner.where(isInside, value, 0)) };
      },
    });
  });
  const stacked = (values: readonly (Value | undefined)[], axis: number): Value =>
    math.concat(
      values.flatMap((value) => (value ? [math.reshape(value, sizesOf(value).toSpliced(axis, 0, 1))] : [])),
      axis,
    );
  const all = stacked(
    walks.map(({ rows }) => rows[0]),
    1,
  );
  return [
    all,
    ...stateInputs.map((_, i) =>
      stacked(
        walks.map(({ states }) => states[i]),
        0,
      ),
    ),
  ];
}

/** Which steps lie inside of each sequence: [steps, batch, 1]. */
function stepsUpTo(math: GraphMath, lengths: Value, steps: number): Value {
  const [batch = 1] = sizesOf(lengths);
  const places = math.reshape(math.builder.ints(...Array.from({ length: steps }, (_, i) => i)), [steps, 1, 1]);
  return math.less(places, math.reshape(math.cast(lengths, "int64"), [1, batch, 1]));
}

const activated = (math: GraphMath, name: Activation | undefined, x: Value): Value =>
  math.builder.op(name ?? "Tanh", [x]);

/** h' = f(x + h R) */
const rnn = writtenOut<"RNN">((call) =>
  run(call, directionsOf(call, ["Tanh"], false), [5], ({ recurrent, activations: [f] }) => (math, x, [h]) => [
    activated(math, f, math.add(x, math.product(h as Value, recurrent))),
  ]),
);

/** z, r = f(x + h R); n = g(x + (r h) R), or with linear_before_reset g(x + r (h R + b)); h' = (1 - z) n + z h. */
const gru = writtenOut<"GRU">((call) => {
  const isLate = call.settings.linear_before_reset !== 0;
  return run(call, directionsOf(call, ["Sigmoid", "Tanh"], true), [5], (direction) => {
    const { recurrent, bias, units, activations } = direction;
    const { math: outer } = call;
    const gates = outer.slice(recurrent, [1], [0], [2 * units]);
    const candidate = outer.slice(recurrent, [1], [2 * units], [3 * units]);
    const [gateBias, ownBias] = bias
      ? [outer.slice(bias, [0], [0], [2 * units]), outer.slice(bias, [0], [2 * units], [3 * units])]
      : [];
    return (math, x, [h]) => {
      const state = h as Value;
      const biased = (value: Value, by: Value | undefined): Value => (by === undefined ? value : math.add(value, by));
      const both = math.add(math.slice(x, [-1], [0], [2 * units]), biased(math.product(state, gates), gateBias));
      const [z, r] = [0, 1].map((i) => activated(math, activations[0], gate(math, both, i, units))) as [Value, Value];
      const late = isLate
        ? math.mul(r, biased(math.product(state, candidate), ownBias))
        : biased(math.product(math.mul(r, state), candidate), ownBias);
      const n = activated(math, activations[1], math.add(gate(math, x, 2, units), late));
      return [math.add(n, math.mul(z, math.sub(state, n)))];
    };
  });
});

/** i, o, f = f(x + h R + p c), o with the new c; c' = f c + i g(x + h R); h' = o h(c'). */
const lstm = writtenOut<"LSTM">((call) => {
  if (call.settings.input_forget !== 0) throw call.unsupported("attribute input_forget has no rule");
  const directions = directionsOf(call, ["Sigmoid", "Tanh", "Tanh"], false);
  return run(call, directions, [5, 6], ({ index, recurrent, units, activations: [f, g, last] }) => {
    const looks = call.node.inputs[7] === undefined ? undefined : row(call.math, call.input(7), index);
    const look = looks && [0, 1, 2].map((i) => gate(call.math, looks, i, units));
    return (math, x, [h, c]) => {
      const [before, cell] = [h as Value, c as Value];
      const all = math.add(x, math.product(before, recurrent));
      const opened = (i: number, by: Value): Value => {
        const [part, weight] = [gate(math, all, i, units), look?.[i]];
        return activated(math, f, weight === undefined ? part : math.add(part, math.mul(weight, by)));
      };
      const fresh = math.mul(opened(0, cell), activated(math, g, gate(math, all, 3, units)));
      const next = math.add(math.mul(opened(2, cell), cell), fresh);
      return [math.mul(opened(1, next), activated(math, last, next)), next];
    };
  });
});

/** Rules of recurrent operators. */
export const recurrentRules = { RNN: rnn, GRU: gru, LSTM: lstm } satisfies Partial<GradientTable>;
