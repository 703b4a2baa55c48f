/** @file Cases of reductions and of operators with sub-graphs. */
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph, Value } from "../../graph/graph.ts";
import type { controlFlow } from "../control-flow.ts";
import type { reduction } from "../reduction.ts";
import type { OperatorName } from "../table.ts";
import { type Case, type CasesOf, f, fed, fixed, ints, of } from "./case.ts";

const reduce: readonly [Case<"ReduceSum">, ...Case<"ReduceSum">[]] = [
  { note: "last axis, kept", inputs: [f(2, 3, 4), ints(-1)] },
  { note: "two axes, dropped", inputs: [f(2, 3, 4), ints(0, 2)], attributes: { keepdims: 0 } },
  { note: "everything", inputs: [f(2, 3)], attributes: { keepdims: 0 } },
  { note: "everything, kept", inputs: [f(2, 3)] },
  { note: "nothing", inputs: [f(2, 3), ints()], attributes: { noop_with_empty_axes: 1 } },
  { note: "an empty list is everything", inputs: [f(2, 3), ints()], attributes: { keepdims: 0 } },
  { note: "fed axes, kept", open: 2, inputs: [f(2, 3), of("int64", [1], 1)], numbersOnly: "a named number of axes" },
  {
    note: "fed axes, dropped",
    open: 1,
    inputs: [f(2, 3), of("int64", [1], 1)],
    attributes: { keepdims: 0 },
    numbersOnly: "a named number of axes",
  },
];
const reduction13 = <O extends OperatorName>() => reduce as unknown as readonly [Case<O>, ...Case<O>[]];

const position = <O extends "ArgMax" | "ArgMin">(): readonly [Case<O>, ...Case<O>[]] =>
  [
    { note: "rows", inputs: [f(2, 3)], attributes: { axis: 1, keepdims: 0 } },
    { note: "columns, kept", inputs: [f(2, 3)] },
    { note: "the last of equals", inputs: [f(2, 3)], attributes: { axis: -1, select_last_index: 1 } },
  ] as unknown as readonly [Case<O>, ...Case<O>[]];

/** Cases of `reduction.ts`. */
export const reductionCases: CasesOf<typeof reduction> = {
  ReduceSum: reduce,
  ReduceMean: reduction13(),
  ReduceMax: [...reduction13<"ReduceMax">(), { note: "int64", inputs: [fed("int64", 2, 3), ints(1)] }],
  ReduceMin: reduction13(),
  ReduceProd: reduction13(),
  ReduceL1: reduction13(),
  ReduceL2: reduction13(),
  ReduceSumSquare: reduction13(),
  ReduceLogSum: reduction13(),
  ReduceLogSumExp: reduction13(),
  ArgMax: position(),
  ArgMin: position(),
  TopK: [
    { note: "last axis", inputs: [f(2, 5), ints(3)], outputs: 2 },
    { note: "smallest of a column", inputs: [f(5, 2), ints(2)], attributes: { axis: 0, largest: 0 }, outputs: 2 },
    { note: "a fed k", open: 2, inputs: [f(2, 5), of("int64", [1], 2)], outputs: 2, numbersOnly: "k has one element" },
  ],
  Size: [{ note: "a matrix", inputs: [f(2, 3)] }],
  NonZero: [{ note: "a matrix", open: 1, inputs: [of("float32", [2, 2], 0, 1, 1, 0)] }],
};

function body(outer: GraphBuilder, write: (inner: GraphBuilder) => void): Graph {
  const inner = new GraphBuilder("body", { outer });
  write(inner);
  return inner.build();
}

const branch = (outer: GraphBuilder, operator: "Neg" | "Exp", value: Value): Graph =>
  body(outer, (inner) => inner.output(inner.op(operator, [value])));

/** A Loop that adds its state to itself, and gives the state of each trip. */
function doubling(outer: GraphBuilder, state: Value, stops: boolean): Graph {
  return body(outer, (inner) => {
    const trip = inner.input("trip", "int64", []);
    const goesOn = inner.input("goes_on", "bool", []);
    const before = inner.input("before", state.dtype, state.shape);
    const after = inner.op("Add", [before, before]);
    inner.output(stops ? inner.op("Less", [trip, inner.scalar(1, "int64")]) : goesOn);
    inner.output(after);
    inner.output(inner.op("ReduceSum", [after], { keepdims: 0 }));
  });
}

const scanBody = (outer: GraphBuilder, state: Value, slice: Value["shape"]): Graph =>
  body(outer, (inner) => {
    const before = inner.input("before", state.dtype, state.shape);
    const row = inner.input("row", "float32", slice);
    const after = inner.op("Add", [before, row]);
    inner.output(after);
    inner.output(inner.op("Neg", [after]));
  });

const need = (value: Value | undefined): Value => {
  if (value === undefined) throw new Error("the case has no such input");
  return value;
};

/** Cases of `control-flow.ts`. */
export const controlFlowCases: CasesOf<typeof controlFlow> = {
  If: [
    {
      note: "branches that read from outside",
      inputs: [of("bool", [], 1)],
      attributes: (outer) => {
        const x = outer.constant(f(2, 3).tensor);
        return { then_branch: branch(outer, "Neg", x), else_branch: branch(outer, "Exp", x) };
      },
    },
    {
      note: "branches of different sizes",
      open: 1,
      inputs: [of("bool", [], 0)],
      attributes: (outer) => {
        const [long, short] = [outer.constant(f(2, 3).tensor), outer.constant(f(2, 2).tensor)];
        return { then_branch: branch(outer, "Neg", long), else_branch: branch(outer, "Exp", short) };
      },
    },
  ],
  Loop: [
    {
      note: "a known number of trips",
      inputs: [fixed("int64", [], 3), fixed("bool", [], 1), f(2, 3)],
      attributes: (outer, [, , state]) => ({ body: doubling(outer, need(state), false) }),
      outputs: 2,
    },
    {
      note: "no condition",
      inputs: [fixed("int64", [], 3), undefined, f(2, 3)],
      attributes: (outer, [, , state]) => ({ body: doubling(outer, need(state), false) }),
      outputs: 2,
    },
    {
      note: "stops early",
      open: 1,
      inputs: [fixed("int64", [], 9), fixed("bool", [], 1), f(2, 3)],
      attributes: (outer, [, , state]) => ({ body: doubling(outer, need(state), true) }),
      outputs: 2,
    },
  ],
  Scan: [
    {
      note: "forward",
      inputs: [f(3), f(5, 3)],
      attributes: (outer, [state]) => ({ body: scanBody(outer, need(state), need(state).shape), num_scan_inputs: 1 }),
      outputs: 2,
      numbersOnly: "the state's axis is the row's",
    },
    {
      note: "backward along axis 1, stacked along axis 1",
      inputs: [f(3), f(3, 5)],
      attributes: (outer, [state]) => ({
        body: scanBody(outer, need(state), need(state).shape),
        num_scan_inputs: 1,
        scan_input_axes: [1],
        scan_input_directions: [1],
        scan_output_axes: [1],
        scan_output_directions: [1],
      }),
      outputs: 2,
    },
  ],
};
