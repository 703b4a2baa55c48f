import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type RecurrenceStep, scan } from "../../graph/scan.ts";
import type { GradientCase } from "../gradient-check.ts";
import { bools, ints, random } from "./make-case.ts";

const sigmoid = (math: GraphMath, x: Value): Value => math.builder.op("Sigmoid", [x]);
const tanh = (math: GraphMath, x: Value): Value => math.builder.op("Tanh", [x]);
const split = (math: GraphMath, x: Value, parts: number): Value[] =>
  math.builder.ops("Split", [x], { axis: -1, num_outputs: parts }, parts);

/** Everything that a recurrence gives, side by side, so that each has a gradient. */
const all = (math: GraphMath, results: ReturnType<typeof scan>): Value =>
  math.concat(
    [...results.states, ...results.rows].map((value) => math.reshape(value, [-1])),
    0,
  );

const one = (values: readonly (Value | undefined)[], at = 0): Value => {
  const value = values[at];
  if (value === undefined) throw new Error(`expected a value at ${at}`);
  return value;
};

/** h = tanh(x + h · U) */
const simple = (math: GraphMath, h: Value, x: Value, u: Value): RecurrenceStep => {
  const next = tanh(math, math.add(math.product(h, u), x));
  return { states: [next], rows: [next] };
};

function lstmStep(math: GraphMath, h: Value, c: Value, x: Value, u: Value): readonly [Value, Value] {
  const [i, f, g, o] = split(math, math.add(math.builder.op("MatMul", [h, u]), x), 4);
  const input = math.mul(sigmoid(math, one([i])), tanh(math, one([g])));
  const cell = math.add(math.mul(sigmoid(math, one([f])), c), input);
  return [math.mul(sigmoid(math, one([o])), tanh(math, cell)), cell];
}

const lstm = (steps: number, mask?: readonly number[]): GradientCase => ({
  name: `LSTM of ${steps} steps${mask === undefined ? "" : ", states kept where the mask is false, one sample always"}`,
  inputs: [random(steps, 2, 12), random(2, 3), random(2, 3), random(3, 12)],
  build: (math, x, h0, c0, u) => {
    const masks = mask === undefined ? [] : [bools(math, [steps, 2, 1], ...mask)];
    const results = scan(math, {
      states: [one([h0]), one([c0])],
      sequences: [one([x]), ...masks],
      step: (body, [h, c], [slice, keep]) => {
        const [nextH, nextC] = lstmStep(body, one([h]), one([c]), one([slice]), one([u]));
        const states = [
          keep === undefined ? nextH : body.where(keep, nextH, one([h])),
          keep === undefined ? nextC : body.where(keep, nextC, one([c])),
        ];
        return { states, rows: [one(states)] };
      },
    });
    return all(math, results);
  },
});

/** Candidate state by a reset gate that is put on the state before its product, or on the product. */
const gru = (resetAfter: boolean): GradientCase => ({
  name: `GRU, reset ${resetAfter ? "after" : "before"} the product`,
  inputs: [random(3, 2, 9), random(2, 3), random(3, 9), random(9)],
  build: (math, x, h0, u, bias) => {
    const [gates, candidate] = math.builder.ops("Split", [one([u]), math.builder.ints(6, 3)], { axis: 1 }, 2);
    const results = scan(math, {
      states: [one([h0])],
      sequences: [one([x])],
      step: (body, [h], [slice]) => {
        const before = one([h]);
        const [xz, xr, xh] = split(body, one([slice]), 3);
        const inner = body.builder.op("Gemm", [before, u, bias]);
        const [hz, hr, hh] = resetAfter ? split(body, inner, 3) : split(body, body.product(before, one([gates])), 2);
        const z = sigmoid(body, body.add(one([xz]), one([hz])));
        const r = sigmoid(body, body.add(one([xr]), one([hr])));
        const recurrent = hh === undefined ? body.product(body.mul(r, before), one([candidate])) : body.mul(r, hh);
        const next = body.add(
          body.mul(z, before),
          body.mul(body.sub(1, z), tanh(body, body.add(one([xh]), recurrent))),
        );
        return { states: [next], rows: [next] };
      },
    });
    return all(math, results);
  },
});

/** Recurrences: several states and sequences, directions and axes, captured values of every kind, one step. */
export const scanCases = {
  Scan: [
    {
      name: "simple recurrent network",
      inputs: [random(4, 2, 3), random(2, 3), random(3, 3)],
      build: (math, x, h0, u) =>
        all(
          math,
          scan(math, {
            states: [one([h0])],
            sequences: [one([x])],
            step: (body, [h], [slice]) => simple(body, one([h]), one([slice]), one([u])),
          }),
        ),
    },
    lstm(3),
    lstm(1),
    lstm(3, [1, 0, 1, 0, 0, 0]),
    gru(true),
    gru(false),
    {
      name: "backwards along another axis, one row used and the last state not",
      inputs: [random(2, 4, 3), random(2, 3), random(3, 3)],
      build: (math, x, h0, u) =>
        one(
          scan(math, {
            states: [one([h0])],
            sequences: [one([x])],
            axis: 1,
            backwards: true,
            step: (body, [h], [slice]) => {
              const { states, rows } = simple(body, one([h]), one([slice]), one([u]));
              return { states, rows: [body.exp(one([slice])), ...rows] };
            },
          }).rows,
          1,
        ),
    },
    {
      name: "only the last state used, of a sum that needs no tape",
      inputs: [random(4, 3), random(3)],
      build: (math, x, start) =>
        one(
          scan(math, {
            states: [one([start])],
            sequences: [one([x])],
            step: (body, [sum], [slice]) => ({ states: [body.add(one([sum]), body.mul(one([slice]), 2))], rows: [] }),
          }).states,
        ),
    },
    {
      name: "captured scalar, vector and matrix, multiplied, added, used twice, and a whole-numbered state",
      inputs: [random(3, 2, 3), random(2, 3), random(), random(3), random(3, 3)],
      build: (math, x, h0, scale, shift, u) =>
        all(math, {
          rows: [],
          states: scan(math, {
            states: [one([h0]), ints(math, [], 1)],
            sequences: [one([x])],
            step: (body, [h, count], [slice]) => {
              const twice = body.product(body.product(one([h]), one([u])), one([u]));
              const moved = body.sub(body.add(body.mul(one([slice]), one([scale])), twice), one([shift]));
              const counted = body.mul(moved, body.cast(one([count]), moved.dtype));
              return { states: [tanh(body, counted), body.add(one([count]), 1)], rows: [] };
            },
          }).states.slice(0, 1),
        }),
    },
    {
      name: "a matrix that is turned, one on the left, and one used outside too",
      inputs: [random(3, 2, 2), random(2, 2), random(2, 2), random(2, 2)],
      build: (math, x, h0, u, w) => {
        const results = scan(math, {
          states: [one([h0])],
          sequences: [math.builder.op("MatMul", [one([x]), one([u])])],
          step: (body, [h], [slice]) => {
            const turned = body.builder.op("Gemm", [one([h]), u, slice], { transB: 1, alpha: 0.5, beta: 2 });
            const next = tanh(body, body.builder.op("MatMul", [one([w]), turned]));
            return { states: [next], rows: [body.add(next, one([u]))] };
          },
        });
        return all(math, results);
      },
    },
    {
      name: "a recurrence inside a recurrence",
      inputs: [random(2, 3, 2), random(2), random(2)],
      build: (math, x, start, scale) =>
        all(
          math,
          scan(math, {
            states: [one([start])],
            sequences: [one([x])],
            step: (body, [h], [slice]) => {
              const { states, rows } = scan(body, {
                states: [one([h])],
                sequences: [one([slice])],
                step: (deep, [g], [row]) => {
                  const next = tanh(deep, deep.add(deep.mul(one([g]), one([scale])), deep.mul(one([row]), one([h]))));
                  return { states: [next], rows: [next] };
                },
              });
              return { states, rows: [body.sum(one(rows), [0])] };
            },
          }),
        ),
    },
    {
      name: "as another program writes it: rows from last to first along their last axis, a state that only passes",
      inputs: [random(3, 4), random(3), random(3)],
      build: (math, x, h0, fixed) => imported(math, one([x]), one([h0]), one([fixed])),
    },
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;

/** A Scan with every attribute set, over a body that no builder wrote. */
function imported(math: GraphMath, x: Value, h0: Value, fixed: Value): Value {
  const value = (name: string): Value => ({ name: `import/${name}`, dtype: x.dtype, shape: [3] });
  const node = (operator: string, inputs: readonly Value[], output: Value) => ({
    name: output.name,
    operator,
    domain: "",
    inputs,
    outputs: [output],
    attributes: {},
  });
  const [h, kept, slice, product, inner] = [
    value("h"),
    value("kept"),
    value("slice"),
    value("product"),
    value("inner"),
  ];
  const body = {
    name: "imported",
    inputs: [h, kept, slice],
    outputs: [value("next"), value("same"), product],
    initializers: new Map(),
    nodes: [
      // through an Identity: the runtime loses a state that is handed straight out
      node("Identity", [kept], value("same")),
      node("Mul", [slice, kept], product),
      node("Add", [h, product], inner),
      node("Sin", [inner], value("next")),
    ],
  };
  const attributes = {
    num_scan_inputs: 1,
    scan_input_axes: [-1],
    scan_input_directions: [1],
    scan_output_axes: [1],
    scan_output_directions: [1],
  };
  const results = math.builder.ops("Scan", [h0, fixed, x], { body, ...attributes }, 3);
  return all(math, { states: results, rows: [] });
}
