import {
  createSession,
  GraphBuilder,
  model,
  type OperatorName,
  operatorNames,
  tensor,
  type Value,
} from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { NnError } from "../errors.ts";
import { GraphMath } from "../graph/graph-math.ts";
import { gradientCases } from "../testing/gradient-cases.ts";
import { checkGradient, type GradientCase, toleranceOf } from "../testing/gradient-check.ts";
import { GradientError } from "./gradient-error.ts";
import { gradients } from "./gradients.ts";
import { gradientRules } from "./table.ts";

const seed = 20240607;
const casesOf = Object.entries<readonly GradientCase[]>(gradientCases);

describe("the gradient rules", () => {
  it("cover every operator, and every rule has a check", () => {
    expect(Object.keys(gradientRules).sort()).toEqual([...operatorNames]);
    const ruled = operatorNames.filter((name) => typeof gradientRules[name] === "function");
    expect(Object.keys(gradientCases).sort()).toEqual(ruled);
  });

  describe.each(casesOf)("%s follows the differences", (_operator, cases) => {
    it.each(cases.map((one) => [one.name, one] as const))(`%s (seed ${seed})`, async (_name, one) => {
      const { worst } = await checkGradient(one, seed);
      expect(worst).toBeLessThan(toleranceOf[one.dtype ?? "float64"]);
    });
  });

  it("are compared sharply: at relu's kink the rule says 0, the differences say a half, and the check fails", async () => {
    const kink: GradientCase = {
      name: "kink",
      inputs: [{ shape: [2], values: [0, 1] }],
      build: (math, x) => math.builder.op("Relu", [x]),
    };
    expect((await checkGradient(kink, seed)).worst).toBeGreaterThan(0.01);
  });
});

/** Gradient of sum(y) for one float32 input. */
async function gradientAt(
  shape: readonly number[],
  values: readonly number[],
  build: (math: GraphMath, x: Value) => Value,
) {
  const builder = new GraphBuilder();
  const math = new GraphMath(builder);
  const x = builder.input("x", "float32", shape);
  const y = build(math, x);
  const [dx] = gradients(math, { value: y, gradient: math.filled(y.shape.map(Number), 1, "float32") }, [x]);
  if (dx === undefined) throw new Error("no gradient");
  builder.output(dx, "dx");
  const session = await createSession(model(builder.build()), { threads: 1 });
  const { outputs } = await session.run({ x: tensor("float32", shape, Float32Array.from(values)) });
  await session.close();
  return Array.from(outputs["dx"]?.data as Float32Array);
}

describe("where a function has no slope, the rule takes one side", () => {
  it("relu and abs have slope 0 at 0", async () => {
    expect(await gradientAt([3], [-1, 0, 1], ({ builder }, x) => builder.op("Relu", [x]))).toEqual([0, 0, 1]);
    expect(await gradientAt([3], [-1, 0, 1], ({ builder }, x) => builder.op("Abs", [x]))).toEqual([-1, 0, 1]);
  });

  it("max gives all to the first of equal inputs", async () => {
    expect(
      await gradientAt([2], [3, 3], (m, x) =>
        m.builder.op("Max", [x, m.builder.constant(tensor("float32", [2], Float32Array.of(3, 4)))]),
      ),
    ).toEqual([1, 0]);
  });

  it("a max-pool's tie goes to the first element once, so the sum of dx is the sum of dy", async () => {
    const pool = (strides: number) => (m: GraphMath, x: Value) =>
      m.builder.ops("MaxPool", [x], { kernel_shape: [2, 2], strides: [strides, strides] }, 2)[0] as Value;
    expect(await gradientAt([1, 1, 2, 4], [7, 7, 1, 2, 7, 7, 3, 3], pool(2))).toEqual([1, 0, 0, 0, 0, 0, 1, 0]);
    const overlapping = await gradientAt(
      [1, 1, 3, 3],
      Array.from({ length: 9 }, () => 0),
      pool(1),
    );
    expect(overlapping.reduce((a, b) => a + b)).toBe(4);
  });

  it("the largest elements of a reduction share evenly", async () => {
    expect(await gradientAt([4], [2, 5, 5, 1], (m, x) => m.builder.op("ReduceMax", [x]))).toEqual([0, 0.5, 0.5, 0]);
  });
});

describe("gradients", () => {
  it("add up what comes in on several ways", async () => {
    expect(await gradientAt([1], [3], (m, x) => m.add(m.mul(x, x), m.mul(x, 5)))).toEqual([11]);
  });

  it("end at operators that only jump, and are zero where nothing depends on the value", async () => {
    expect(await gradientAt([2], [0.4, 1.6], (m, x) => m.builder.op("Round", [x]))).toEqual([0, 0]);
    expect(await gradientAt([2], [1, 2], (m) => m.builder.scalar(1))).toEqual([0, 0]);
  });

  it("of an operator without a rule are refused by name", () => {
    const builder = new GraphBuilder();
    const math = new GraphMath(builder);
    const x = builder.input("x", "float32", [2, 2]);
    const y = builder.within("odd_1", () => builder.op("Det", [x]));
    expect(() => gradients(math, { value: y, gradient: builder.scalar(1) }, [x])).toThrow(NnError);
    expect(() => gradients(math, { value: y, gradient: builder.scalar(1) }, [x])).toThrow(
      "odd_1/Det: Det has no gradient here",
    );
  });

  it("of several operators without a rule are refused all at once, in the order of the graph", () => {
    const builder = new GraphBuilder();
    const math = new GraphMath(builder);
    const w = builder.input("w", "float32", [2, 2, 2]);
    const frozen = builder.op("Det", [builder.input("x", "float32", [2, 2, 2])]); // nobody wants its gradient
    const first = builder.within("first", () => builder.op("Det", [w]));
    const y = builder.within("second", () => {
      const matrices = math.mul(math.reshape(math.add(first, frozen), [1, 1, 2]), w);
      return math.add(builder.op("Det", [matrices]), builder.op("ReduceSum", [w], { keepdims: 0 }));
    });
    const refused = () => gradients(math, { value: y, gradient: y }, [w]);
    expect(refused).toThrow(GradientError);
    expect(refused).toThrow(
      /^first\/Det: Det has no gradient here: .*\nsecond\/Det: Det has no gradient here: .*\n.*freeze all before/,
    );
  });

  it("of a graph with a size that only the run tells are refused", () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", "float32", ["batch", 2]);
    const y = builder.op("ReduceSum", [x], { keepdims: 0 });
    expect(() => gradients(new GraphMath(builder), { value: y, gradient: builder.scalar(1) }, [x])).toThrow(
      'fix "batch" first',
    );
  });

  it("are known to be missing for exactly these operators", () => {
    const missing: OperatorName[] = operatorNames.filter((name) => gradientRules[name] === "noRule");
    expect(missing).toMatchInlineSnapshot(`
      [
        "AffineGrid",
        "Compress",
        "DFT",
        "DeformConv",
        "Det",
        "GridSample",
        "If",
        "Loop",
        "MaxRoiPool",
        "RoiAlign",
        "STFT",
        "TensorScatter",
        "Unique",
      ]
    `);
  });
});
