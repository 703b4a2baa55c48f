import { createSession, type Graph, GraphBuilder, model, ShapeError, tensor, type Value } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { isGraph } from "./captured.ts";
import { GraphMath } from "./graph-math.ts";
import { prune } from "./prune.ts";
import { type Recurrence, scan } from "./scan.ts";

const sums: Omit<Recurrence, "states" | "sequences"> = {
  step: (math, [sum], [slice]) => {
    const next = math.add(sum as Value, slice as Value);
    return { states: [next], rows: [next, math.mul(slice as Value, 10)] };
  },
};

const start = (size: number) => tensor("float32", [size], new Float32Array(size));
const floats = (shape: readonly number[], ...values: number[]) => tensor("float32", shape, Float32Array.from(values));

async function run(graph: Graph, feeds: Parameters<Awaited<ReturnType<typeof createSession>>["run"]>[0]) {
  const session = await createSession(model(graph), { threads: 1 });
  const { outputs } = await session.run(feeds);
  await session.close();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data, Number)]));
}

/** Running sums over an input of sizes that only the run knows. */
function runningSums(options: Partial<Recurrence>, ...shape: (number | string)[]): Graph {
  const builder = new GraphBuilder("sums");
  const x = builder.input("x", "float32", shape);
  const { states, rows } = scan(new GraphMath(builder), {
    states: [builder.constant(start(2))],
    sequences: [x],
    ...sums,
    ...options,
  });
  [...states, ...rows].forEach((value, i) => void builder.output(value, `y${i}`));
  return builder.build();
}

describe("a recurrence", () => {
  const x = [1, 2, 3, 4, 5, 6];

  it("hands states on and stacks rows, over as many steps as there are", async () => {
    const graph = runningSums({}, "time", 2);
    expect(graph.outputs.map(({ shape }) => shape)).toEqual([[2], ["time", 2], ["time", 2]]);
    expect(await run(graph, { x: floats([3, 2], ...x) })).toEqual({
      y0: [9, 12],
      y1: [1, 2, 4, 6, 9, 12],
      y2: [10, 20, 30, 40, 50, 60],
    });
    expect((await run(graph, { x: floats([1, 2], 7, 8) }))["y1"]).toEqual([7, 8]);
  });

  it("of no steps is refused by the runtime", async () => {
    await expect(run(runningSums({}, "time", 2), { x: floats([0, 2]) })).rejects.toThrow("Dimension 0 is 0");
  });

  it("backwards starts at the last slice, and each row stands where its slice stood", async () => {
    const { y0, y1 } = await run(runningSums({ backwards: true }, 3, 2), { x: floats([3, 2], ...x) });
    expect([y0, y1]).toEqual([
      [9, 12],
      [9, 12, 8, 10, 5, 6],
    ]);
  });

  it("walks any axis", async () => {
    const { y1 } = await run(runningSums({ axis: -1 }, 2, 3), { x: floats([2, 3], ...x) });
    expect(y1).toEqual([1, 4, 3, 9, 6, 15]);
  });

  it("of states that a step changes is refused", () => {
    const wrong = (states: (math: GraphMath, sum: Value) => readonly Value[]) => () =>
      runningSums({ step: (math, [sum]) => ({ states: states(math, sum as Value), rows: [] }) }, 3, 2);
    expect(wrong((math, sum) => [math.sum(sum, [0])])).toThrow(ShapeError);
    expect(wrong((math, sum) => [math.sum(sum, [0])])).toThrow(
      "sums/scan0: expected a step to keep state 0 as float32 [2], received float32 []",
    );
    expect(wrong((math, sum) => [math.cast(sum, "float64")])).toThrow(
      "received float64 [2]; give it another first value",
    );
    expect(wrong(() => [])).toThrow("expected 1 next states of a step, received 0");
    expect(() => runningSums({ sequences: [], step: (_, states) => ({ states, rows: [] }) }, 3, 2)).toThrow(
      "expected at least one sequence to walk, received none",
    );
  });
});

describe("a recurrence that trains", () => {
  /** d sum(last h) for h = tanh(h · u + x), as it is written and as it is pruned. */
  function training(recompute: readonly string[] = []): { written: Graph; pruned: Graph } {
    const builder = new GraphBuilder("training");
    const math = new GraphMath(builder);
    const x = builder.input("x", "float32", [3, 1, 2]);
    const u = builder.input("u", "float32", [2, 2]);
    const step: Recurrence["step"] = (body, [h], [slice]) => {
      const next = body.builder.op("Tanh", [body.add(body.product(h as Value, u), slice as Value)]);
      return { states: [next], rows: [next, body.exp(slice as Value)] };
    };
    const start = builder.constant(floats([1, 2], 0, 0));
    const { states } = builder.within("memory", () =>
      scan(math, { states: [start], sequences: [math.mul(x, 2)], step }),
    );
    const y = states[0] as Value;
    const slopes = gradients(math, { value: y, gradient: math.filled([1, 2], 1, "float32") }, [x, u], { recompute });
    builder.output(y, "y");
    slopes.forEach((slope, i) => void builder.output(slope, `d${i}`));
    const written = builder.build();
    return { written, pruned: prune(written) };
  }
  const scans = ({ nodes }: Graph) => nodes.filter(({ operator }) => operator === "Scan");
  const feeds = { x: floats([3, 1, 2], 0.5, -0.25, 0.125, 1, -1, 0.75), u: floats([2, 2], 0.5, -0.5, 0.25, 1) };

  it("records its tape on the way forward: one Scan there, one Scan back", () => {
    const { written, pruned } = training();
    expect([scans(written).length, scans(pruned).length]).toEqual([3, 2]);
  });

  it("loses the rows that nobody reads, and what only they needed", () => {
    const [forward] = scans(training().pruned);
    const body = forward?.attributes["body"];
    if (!isGraph(body)) throw new Error("expected a body");
    expect(forward?.outputs).toHaveLength(3); // last state, states before, states after
    expect(body.graph.nodes.map(({ operator }) => operator)).not.toContain("Exp");
  });

  it("gives the same numbers in a block that is computed again", async () => {
    expect(await run(training(["memory"]).pruned, feeds)).toEqual(await run(training().pruned, feeds));
  });

  it("gives the same numbers pruned or not", async () => {
    const { written, pruned } = training();
    expect(await run(pruned, feeds)).toEqual(await run(written, feeds));
  });
});

it("a sequence that only unread rows needed is dropped with them", () => {
  const builder = new GraphBuilder("two");
  const [a, b] = [builder.input("a", "float32", [3, 2]), builder.input("b", "float32", [3, 2])];
  const { states } = scan(new GraphMath(builder), {
    states: [builder.constant(start(2))],
    sequences: [a, b],
    step: (math, [sum], [left, right]) => ({
      states: [math.add(sum as Value, right as Value)],
      rows: [math.exp(left as Value)],
    }),
  });
  builder.output(states[0] as Value, "y");
  const [node] = prune(builder.build()).nodes;
  expect(node?.inputs.map((value) => value?.name)).toEqual([expect.stringContaining("constant"), "b"]);
});

it("what no step changes is computed once, before the loop, and has its gradient there", async () => {
  const builder = new GraphBuilder("once");
  const math = new GraphMath(builder);
  const [x, w] = [builder.input("x", "float32", [3, 1, 2]), builder.input("w", "float32", [2, 2])];
  const { states } = scan(math, {
    states: [builder.constant(floats([1, 2], 0, 0))],
    sequences: [x],
    step: (body, [h], [slice]) => {
      const turned = body.transpose(body.mul(body.exp(w), 0.5), [1, 0]);
      return { states: [body.add(body.builder.op("MatMul", [h as Value, turned]), slice as Value)], rows: [] };
    },
  });
  const y = states[0] as Value;
  const [slope] = gradients(math, { value: y, gradient: math.filled([1, 2], 1, "float32") }, [w]);
  builder.output(y, "y");
  builder.output(slope as Value, "dw");
  const graph = prune(builder.build());
  const bodies = graph.nodes.flatMap(({ attributes: { body } }) => (isGraph(body) ? [body.graph] : []));
  expect(bodies.map(({ nodes }) => nodes.map(({ operator }) => operator).sort())).toEqual([
    ["Add", "Identity", "MatMul"],
    ["Identity", "MatMul"],
  ]);
  // a = 1/2 everywhere; h1 = [1, 2], h2 = h1 a + x2 = [4.5, 5.5], y = h2 a + x3; da = h2 + h1, and dw is half of it, turned
  const { y: answer, dw } = await run(graph, { x: floats([3, 1, 2], 1, 2, 3, 4, 5, 6), w: floats([2, 2], 0, 0, 0, 0) });
  expect(answer).toEqual([10, 11]);
  expect(dw).toEqual([2.75, 3.75, 2.75, 3.75]);
});

it("an operator without a gradient inside a recurrence is told by its name", () => {
  const builder = new GraphBuilder("odd");
  const math = new GraphMath(builder);
  const x = builder.input("x", "float32", [3, 2, 2]);
  const { states } = builder.within("reader_1", () =>
    scan(math, {
      states: [builder.scalar(0)],
      sequences: [x],
      step: (body, [sum], [slice]) => ({
        states: [body.add(sum as Value, body.builder.op("Det", [slice as Value]))],
        rows: [],
      }),
    }),
  );
  expect(() => gradients(math, { value: states[0] as Value, gradient: builder.scalar(1) }, [x])).toThrow(
    "reader_1/Det: Det",
  );
});
