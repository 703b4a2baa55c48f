/** @file Operators that run graphs: If, Loop, Scan. Their bodies see the values of the graphs around them. */
import type { Graph, Value } from "../graph/graph.ts";
import { type Dim, formatShape, isUnknownShape, type Shape, sameShape, unknownShape } from "../shape.ts";
import { optional, required } from "./attribute.ts";
import { type Call, type Inferred, operator } from "./operator.ts";
import { axisOf, bools, take, unify } from "./rules.ts";

const many = Number.POSITIVE_INFINITY;

/** Checks that a body takes and gives so many values. */
function bodyFits(call: Call, name: string, body: Graph, inputs: number, outputs: number): void {
  if (body.inputs.length !== inputs)
    throw call.shapeError(`${inputs} inputs of ${name} "${body.name}"`, String(body.inputs.length));
  if (body.outputs.length !== outputs)
    throw call.shapeError(`${outputs} outputs of ${name} "${body.name}"`, String(body.outputs.length));
}

/** Checks the types of what enters a body. Sizes must agree only where both are known. */
function entersAs(call: Call, body: Graph, given: readonly (Typed | undefined)[]): void {
  for (const [i, input] of body.inputs.entries()) {
    const value = given[i];
    if (value === undefined || isUnknownShape(input.shape)) continue;
    if (value.dtype !== input.dtype)
      throw call.dtypeError(`${value.dtype} for body input "${input.name}"`, input.dtype);
    const fits =
      value.shape.length === input.shape.length &&
      input.shape.every(
        (dim, axis) => typeof dim === "string" || typeof value.shape[axis] === "string" || dim === value.shape[axis],
      );
    if (!fits)
      throw call.shapeError(`${formatShape(value.shape)} for body input "${input.name}"`, formatShape(input.shape));
  }
}

type Typed = Pick<Value, "dtype" | "shape">;

/** A value that goes round: sizes that the body changes get new names. */
function carried(call: Call, index: number, initial: Value, result: Value): Inferred {
  if (initial.dtype !== result.dtype)
    throw call.dtypeError(`${initial.dtype} for body output "${result.name}", as "${initial.name}" has`, result.dtype);
  const shape = mergeShapes(call, initial.shape, result.shape, `state${index}`, `body output "${result.name}"`);
  return { dtype: initial.dtype, shape };
}

/** Axes of equal size keep it; others are known only at the run. */
function mergeShapes(call: Call, a: Shape, b: Shape, hint: string, what: string): Shape {
  if (isUnknownShape(a) || isUnknownShape(b)) return unknownShape;
  if (a.length !== b.length) throw call.shapeError(`${a.length} axes of ${what}`, String(b.length));
  if (sameShape(a, b)) return a;
  return a.map((dim, i) => (dim === b[i] ? dim : call.fresh(`${hint}.axis${i}`)));
}

/** True when the body's condition can never become false: constant true, or its own condition handed on. */
function runsToTheEnd(body: Graph): boolean {
  let name = body.outputs[0]?.name;
  // exporters chain one or two Identities; a file that chains thousands gets a named size instead of a known one
  for (let hops = 0; hops < 8; hops++) {
    if (name === undefined) return false;
    if (name === body.inputs[1]?.name) return true;
    const constant = body.initializers.get(name);
    if (constant !== undefined) return constant.dtype === "bool" && constant.data[0] === 1;
    const maker = body.nodes.find((node) => node.outputs.some((output) => output?.name === name));
    if (maker?.operator !== "Identity") return false;
    name = maker.inputs[0]?.name;
  }
  return false;
}

/** How often a Loop runs, where nothing stops it early. */
function trips(call: Call, body: Graph): Dim | undefined {
  if (call.inputs[0] === undefined) return undefined;
  const most = call.contents(0)?.[0];
  const condition = call.inputs[1] === undefined ? 1 : call.constant(1)?.data[0];
  return condition === 1 && runsToTheEnd(body) ? most : undefined;
}

const scanSettings = {
  body: required("graph"),
  num_scan_inputs: required("int"),
  scan_input_axes: optional("ints"),
  scan_input_directions: optional("ints"),
  scan_output_axes: optional("ints"),
  scan_output_directions: optional("ints"),
};

/** The slice of each scanned input that enters the body, and the axis that is walked. */
function scanned(call: Call<typeof scanSettings>): { value: Value; axis: number }[] {
  const { num_scan_inputs, scan_input_axes } = call.attributes;
  const states = call.inputs.length - num_scan_inputs;
  if (num_scan_inputs < 1 || states < 0)
    throw call.shapeError(`num_scan_inputs from 1 to ${call.inputs.length}`, String(num_scan_inputs));
  return Array.from({ length: num_scan_inputs }, (_, i) => {
    const value = call.input(states + i);
    return { value, axis: axisOf(call, scan_input_axes?.[i] ?? 0, value.shape.length) };
  });
}

/** What is left of a sequence when its axis is walked. */
const slicesOf = (sequences: readonly { value: Value; axis: number }[]): Typed[] =>
  sequences.map(({ value, axis }) => ({ dtype: value.dtype, shape: value.shape.filter((_, i) => i !== axis) }));

/** Operators that run sub-graphs. */
export const controlFlow = {
  /**
   * Both branches take nothing and give as many outputs as the node has. Where their numbers of axes differ, nothing is known
   * of the output's.
   */
  If: operator({
    since: 16,
    inputs: [1, 1],
    outputs: [1, many],
    attributes: { then_branch: required("graph"), else_branch: required("graph") },
    infer: (call) => {
      take(call, 0, bools);
      const { then_branch, else_branch } = call.attributes;
      bodyFits(call, "then_branch", then_branch, 0, call.outputCount);
      bodyFits(call, "else_branch", else_branch, 0, call.outputCount);
      return then_branch.outputs.map((yes, i) => {
        const no = else_branch.outputs[i] ?? yes;
        if (yes.dtype !== no.dtype) throw call.dtypeError(`${yes.dtype} from both branches`, no.dtype);
        // PyTorch writes a squeeze so, of which only the run tells whether it takes an axis away
        const shape =
          yes.shape.length === no.shape.length
            ? mergeShapes(call, yes.shape, no.shape, `output${i}`, `else_branch output "${no.name}"`)
            : unknownShape;
        return { dtype: yes.dtype, shape };
      });
    },
  }),
  /**
   * Inputs: most trips (int64 scalar), condition (bool scalar), states. Body: (trip, condition, states) to
   * (condition, states, rows). Outputs: states, then the rows of each trip stacked.
   */
  Loop: operator({
    since: 16,
    inputs: [2, many],
    outputs: [1, many],
    attributes: { body: required("graph") },
    infer: (call) => {
      const { body } = call.attributes;
      if (call.inputs[0] !== undefined) take(call, 0, ["int64"]);
      if (call.inputs[1] !== undefined) take(call, 1, bools);
      const states = call.inputs.length - 2;
      bodyFits(call, "body", body, states + 2, call.outputCount + 1);
      entersAs(call, body, [{ dtype: "int64", shape: [] }, { dtype: "bool", shape: [] }, ...call.inputs.slice(2)]);
      const [goesOn] = body.outputs;
      if (goesOn?.dtype !== "bool") throw call.dtypeError("bool for the body's first output", `${goesOn?.dtype}`);
      const rounds = trips(call, body) ?? call.fresh("trips");
      return body.outputs.slice(1).map((output, i): Inferred => {
        if (i < states) return carried(call, i, call.input(i + 2), output);
        return { dtype: output.dtype, shape: isUnknownShape(output.shape) ? unknownShape : [rounds, ...output.shape] };
      });
    },
    bodyInputs: (call) => ({
      body: [{ dtype: "int64", shape: [] }, { dtype: "bool", shape: [] }, ...call.inputs.slice(2)],
    }),
  }),
  /** Inputs: states, then sequences. Body: (states, slices) to (states, rows). Outputs: states, then stacked rows. */
  Scan: operator({
    since: 16,
    inputs: [1, many],
    outputs: [1, many],
    attributes: scanSettings,
    infer: (call) => {
      const { body, scan_output_axes } = call.attributes;
      const sequences = scanned(call);
      const states = call.inputs.length - sequences.length;
      bodyFits(call, "body", body, call.inputs.length, call.outputCount);
      entersAs(call, body, [...call.inputs.slice(0, states), ...slicesOf(sequences)]);
      const length = sequences
        .map(({ value, axis }) => value.shape[axis] ?? 1)
        .reduce((a, b) => unify(call, a, b, "sequences of one length:"));
      return body.outputs.map((output, i): Inferred => {
        if (i < states) return carried(call, i, call.input(i), output);
        if (isUnknownShape(output.shape)) return { dtype: output.dtype, shape: unknownShape };
        const axis = axisOf(call, scan_output_axes?.[i - states] ?? 0, output.shape.length + 1);
        return { dtype: output.dtype, shape: [...output.shape.slice(0, axis), length, ...output.shape.slice(axis)] };
      });
    },
    bodyInputs: (call) => {
      const sequences = scanned(call);
      return { body: [...call.inputs.slice(0, call.inputs.length - sequences.length), ...slicesOf(sequences)] };
    },
  }),
};
