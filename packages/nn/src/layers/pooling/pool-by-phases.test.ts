import { createSession, GraphBuilder, model, tensor, type Value } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { GraphMath } from "../../graph/graph-math.ts";
import { normalAt } from "../../random/hash.ts";
import { poolByPhases } from "./pool-by-phases.ts";

const shapes = { x: [2, 2, 9, 8], kernel: [3, 2, 3, 3], bias: [3] } as const;
const map = [3, 3] as const; // of a map 7 x 6: one row and no column is left out

/** Pooled values and the gradients of image, kernel and bias, by phases or by the runtime's own pool. */
async function run(byPhases: boolean, image: Float32Array): Promise<Record<string, number[]>> {
  const builder = new GraphBuilder();
  const math = new GraphMath(builder);
  const inputs = Object.entries(shapes).map(([name, shape]) => builder.input(name, "float32", shape));
  const convolved = builder.op("Conv", inputs);
  const maker = builder.nodes.at(-1);
  const pooled: Value | undefined = byPhases
    ? poolByPhases(math, maker, { size: [2, 2], map })
    : builder.ops("MaxPool", [convolved], { kernel_shape: [2, 2], strides: [2, 2] }, 2)[0];
  if (pooled === undefined) throw new Error("nothing was pooled");
  const count = 2 * 3 * map[0] * map[1];
  const dy = builder.constant(
    tensor(
      "float32",
      [2, 3, ...map],
      Float32Array.from({ length: count }, (_, i) => (i % 17) - 8),
    ),
  );
  const slopes = gradients(math, { value: pooled, gradient: dy }, inputs);
  builder.output(pooled, "pooled");
  slopes.forEach((slope, i) => void builder.output(slope, `slope${i}`));
  const session = await createSession(model(builder.build()), { threads: 1 });
  const { outputs } = await session.run({
    x: tensor("float32", shapes.x, image),
    kernel: tensor(
      "float32",
      shapes.kernel,
      Float32Array.from({ length: 54 }, (_, i) => normalAt(2, i)),
    ),
    bias: tensor("float32", shapes.bias, Float32Array.of(0.3, -0.2, 0.1)),
  });
  await session.close();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data, Number)]));
}

function expectClose(received: Record<string, number[]>, expected: Record<string, number[]>): void {
  for (const [name, values] of Object.entries(expected)) {
    expect(received[name]?.length).toBe(values.length);
    values.forEach((value, i) => void expect(received[name]?.[i]).toBeCloseTo(value, 4));
  }
}

describe("a convolution pooled by phases", () => {
  it("is the pooled convolution, with its gradients", async () => {
    const image = Float32Array.from({ length: 288 }, (_, i) => normalAt(1, i));
    expectClose(await run(true, image), await run(false, image));
  });

  it("gives ties to the first of a window, as the pool does: most of the image is one number", async () => {
    const image = Float32Array.from({ length: 288 }, (_, i) => (i % 5 === 0 && i < 60 ? normalAt(1, i) : 0.5));
    expectClose(await run(true, image), await run(false, image));
  });

  it("is not chosen for many channels, padding, strides, or what is no convolution", () => {
    const builder = new GraphBuilder();
    const math = new GraphMath(builder);
    const x = builder.input("x", "float32", [1, 4, 8, 8]);
    const w = builder.input("w", "float32", [2, 4, 3, 3]);
    const narrow = builder.input("narrow", "float32", [2, 1, 3, 3]);
    const one = builder.input("one", "float32", [1, 1, 8, 8]);
    const chosen = () => poolByPhases(math, builder.nodes.at(-1), { size: [2, 2], map: [3, 3] });
    builder.op("Conv", [x, w]);
    expect(chosen()).toBeUndefined();
    builder.op("Conv", [one, narrow], { pads: [1, 1, 1, 1] });
    expect(chosen()).toBeUndefined();
    builder.op("Conv", [one, narrow], { strides: [2, 2] });
    expect(chosen()).toBeUndefined();
    builder.op("Relu", [one]);
    expect(chosen()).toBeUndefined();
    builder.op("Conv", [one, narrow]);
    expect(chosen()?.shape).toEqual([1, 2, 3, 3]);
  });
});
