import { createSession, GraphBuilder, model, ShapeError, tensor } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { GraphMath } from "../graph/graph-math.ts";
import { madeFrom } from "../schema/kind.ts";
import { checkGradient } from "../testing/gradient-check.ts";
import type { Regularizer } from "./regularizer.ts";
import { type RegularizerName, regularizers } from "./table.ts";

const made = (type: RegularizerName, settings: object = {}): Regularizer =>
  madeFrom<Regularizer>(regularizers, { type, ...settings });

async function penalty(regularizer: Regularizer, shape: readonly number[], values: readonly number[]) {
  const builder = new GraphBuilder("penalty");
  const math = new GraphMath(builder);
  const weight = builder.input("weight", "float32", shape);
  const value = regularizer(math, weight);
  const [slope] = gradients(math, { value, gradient: math.scalar(1, value) }, [weight]);
  builder.output(math.mul(value, 1), "value");
  if (slope !== undefined) builder.output(slope, "slope");
  const session = await createSession(model(builder.build()), { threads: 1 });
  const { outputs } = await session.run({ weight: tensor("float32", shape, Float32Array.from(values)) });
  await session.close();
  return { value: Number(outputs["value"]?.data[0]), slope: Array.from(outputs["slope"]?.data ?? [], Number) };
}

describe("regularizers", () => {
  it.each<[RegularizerName, object, number]>([
    ["l1", {}, 0.01 * 6.5],
    ["l2", { l2: 0.1 }, 0.1 * 14.25],
    ["l1L2", { l1: 0.1, l2: 0.2 }, 0.65 + 2.85],
  ])("%s %o is its formula", async (type, settings, expected) => {
    expect((await penalty(made(type, settings), [2, 2], [1, -2, 0.5, 3])).value).toBeCloseTo(expected, 5);
  });

  it("have no slope at 0", async () => {
    expect((await penalty(made("l1"), [2], [0, 0])).slope).toEqual([0, 0]);
  });

  it("orthogonalRegularizer takes the mean cosine of all pairs, whatever their lengths", async () => {
    const rows = [2, 0, 0, 5, 3, 4]; // the third leans by 0.6 and 0.8
    expect((await penalty(made("orthogonalRegularizer", { factor: 1 }), [3, 2], rows)).value).toBeCloseTo(
      (0 + 0.6 + 0.8) / 3,
      6,
    );
    const columns = [1, 0, 0, 1]; // two columns at right angles
    expect((await penalty(made("orthogonalRegularizer", { mode: "columns" }), [2, 2], columns)).value).toBe(0);
  });

  it("orthogonalRegularizer of one row, and with a row of zeros, is finite", async () => {
    expect(await penalty(made("orthogonalRegularizer"), [1, 3], [1, 2, 3])).toEqual({ value: 0, slope: [0, 0, 0] });
    const { value, slope } = await penalty(made("orthogonalRegularizer"), [2, 2], [0, 0, 1, 2]);
    expect(value).toBe(0);
    expect(slope.every(Number.isFinite)).toBe(true);
  });

  it.each(["rows", "columns"])(
    "orthogonalRegularizer of %s has the gradient that the differences have",
    async (mode) => {
      const { worst } = await checkGradient({
        name: mode,
        inputs: [{ shape: [3, 4] }],
        build: (math, x) => made("orthogonalRegularizer", { factor: 1, mode })(math, x ?? math.builder.scalar(0)),
      });
      expect(worst).toBeLessThan(1e-6);
    },
  );

  it("orthogonalRegularizer refuses a kernel of a convolution", () => {
    const math = new GraphMath(new GraphBuilder());
    const kernel = math.builder.input("kernel", "float32", [3, 3, 4, 8]);
    expect(() => made("orthogonalRegularizer")(math, kernel)).toThrow(ShapeError);
    expect(() => made("orthogonalRegularizer")(math, kernel)).toThrow(
      "expected a matrix, received a weight of [3, 3, 4, 8]",
    );
  });
});
