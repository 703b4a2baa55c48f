/** @file What every activation must hold. A new activation gets its tests by one call. */
import { createSession, GraphBuilder, model, tensor, type Value } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import type { Activation } from "../activations/activation.ts";
import { type ActivationName, activations } from "../activations/table.ts";
import { GraphMath } from "../graph/graph-math.ts";
import { type Features, plain, toPlain } from "../layers/features.ts";
import { madeFrom } from "../schema/kind.ts";
import { checkGradient, toleranceOf } from "./gradient-check.ts";

/** An activation and what it is by its formula. */
export interface ActivationCase {
  /** Beside the name; defaults when left out. */
  readonly settings?: Readonly<Record<string, number | boolean | null>>;
  /** The formula, on one row of channels. */
  readonly formula: (row: readonly number[]) => readonly number[];
  /** Where it bends: no slope is checked there. */
  readonly kinks?: readonly number[];
  /** No value above this is tried: exp overflows. */
  readonly most?: number;
}

// far out, near 0 and between; 0 itself where a slope exists
const points = [
  -80, -20.25, -7.3, -3.2, -1.7, -0.9, -0.61, -0.3, -0.02, 0, 0.004, 0.2, 0.41, 0.77, 1.3, 2.4, 2.9, 5.9, 20.25, 80,
];
const channels = 4;

const rowsOf = (values: readonly number[]): number[][] =>
  Array.from({ length: values.length / channels }, (_, i) => values.slice(i * channels, (i + 1) * channels));

async function run(
  activation: Activation,
  features: (math: GraphMath, x: Value) => Features,
  shape: readonly number[],
  values: readonly number[],
) {
  const builder = new GraphBuilder("activation");
  const math = new GraphMath(builder);
  const x = builder.input("x", "float32", ["batch", ...shape.slice(1)]);
  builder.output(toPlain(math, activation(math, features(math, x))).value, "y");
  const session = await createSession(model(builder.build()), { threads: 1 });
  const { outputs } = await session.run({ x: tensor("float32", shape, Float32Array.from(values)) });
  await session.close();
  const y = outputs["y"];
  return { shape: y?.shape ?? [], values: Array.from(y?.data ?? [], Number) };
}

/** Runs the suite. */
export function describeActivation(
  type: ActivationName,
  { settings = {}, formula, kinks = [], most = 100 }: ActivationCase,
): void {
  const title = Object.keys(settings).length === 0 ? type : `${type} ${JSON.stringify(settings)}`;
  describe(title, () => {
    const activation = madeFrom<Activation>(activations, { type, ...settings });
    const tried = points.filter((x) => x <= most);
    const values = tried.slice(0, tried.length - (tried.length % channels));

    it("is its formula, on a batch of any size", async () => {
      const shape = [values.length / channels, channels];
      const received = await run(activation, (_, x) => plain(x, [channels]), shape, values);
      const expected = rowsOf(values).flatMap((row) => formula(row));
      expect(received.values).toHaveLength(expected.length);
      expected.forEach((value, i) => {
        expect(Math.abs(value - (received.values[i] ?? Number.NaN)) / Math.max(1, Math.abs(value))).toBeLessThan(1e-5);
      });
    });

    it("is the same on images that are kept channels first", async () => {
      const image = values.slice(0, 2 * channels); // [1, 2, 1, channels]
      const turned = [0, 1, 2, 3].flatMap((channel) => [image[channel] ?? 0, image[channels + channel] ?? 0]);
      const outside: Features["shape"] = [2, 1, channels];
      const last = await run(activation, (_, x) => plain(x, outside), [1, ...outside.map(Number)], image);
      const first = await run(
        activation,
        (_, value) => ({ value, shape: outside, layout: { kind: "channelsFirst" } }),
        [1, channels, 2, 1],
        turned,
      );
      expect(first).toEqual(last);
    });

    it("hands NaN on", async () => {
      const { values: received } = await run(
        activation,
        (_, x) => plain(x, [channels]),
        [1, channels],
        Array.from({ length: channels }, () => Number.NaN),
      );
      expect(received.every(Number.isNaN)).toBe(true);
    });

    it("has the gradient that the differences have (float32)", async () => {
      const smooth = values.filter((x) => Math.abs(x) < 10 && kinks.every((kink) => Math.abs(x - kink) > 0.01));
      const inputs = smooth.slice(0, smooth.length - (smooth.length % channels));
      const shape = [inputs.length / channels, channels];
      const { worst } = await checkGradient({
        name: type,
        dtype: "float32",
        inputs: [{ shape, values: inputs }],
        build: (math, x) => activation(math, plain(x ?? math.builder.scalar(0), [channels])).value,
      });
      expect(worst).toBeLessThan(toleranceOf.float32);
    });
  });
}
