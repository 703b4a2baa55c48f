/** @file What every layer must hold. A new layer gets its tests by one call. */
import { GraphBuilder, type Value } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { writeForward } from "../compile/forward.ts";
import { planModel } from "../compile/plan.ts";
import { NnError, SpecError } from "../errors.ts";
import { GraphMath } from "../graph/graph-math.ts";
import type { Layer } from "../layers/layer.ts";
import { Sequential } from "../model/sequential.ts";
import { keyOf, normalAt } from "../random/hash.ts";
import { parseSpec } from "../spec/model-spec.ts";
import { type CheckedType, checkGradient, toleranceOf } from "./gradient-check.ts";

/** One use of a layer. */
export interface LayerCase {
  /** What is special about it. */
  readonly name: string;
  readonly make: () => Layer;
  /** Sizes of one sample. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** Shapes by weight, as Keras has them. */
  readonly weights?: Readonly<Record<string, readonly number[]>>;
  /** float32 where the runtime has no float64 kernel. */
  readonly dtype?: CheckedType;
  /** Sizes that it must refuse; left out where any will do. */
  readonly wrongInput?: readonly number[];
}

const seed = 77;
const batch = 3;

/** Runs the suite for each use. */
export function describeLayer(type: string, cases: readonly LayerCase[]): void {
  describe.each(cases.map((one) => [one.name, one] as const))(`${type}, %s`, (_name, one) => {
    const { make, input, output, dtype = "float64" } = one;
    const count = input.reduce((product, size) => product * size, batch);
    const samples = {
      shape: [batch, ...input],
      data: Float32Array.from({ length: count }, (_, i) => normalAt(seed, i)),
    };

    it("makes the shapes that it says, and declares its weights", () => {
      expect(make().type).toBe(type);
      expect(make().outputShape(input, type)).toEqual(output);
      expect(
        Object.fromEntries(
          make()
            .parameters(input)
            .map(({ name, shape }) => [name, shape]),
        ),
      ).toEqual(one.weights ?? {});
      const builder = new GraphBuilder();
      const written = write(builder, make(), input, dtype, false, builder.input("x", dtype, ["batch", ...input]), []);
      expect([written.dtype, written.shape]).toEqual([dtype, ["batch", ...output]]);
    });

    it("comes back from its JSON", () => {
      const spec = new Sequential([make()], { inputShape: input }).toSpec();
      expect(parseSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    });

    it(`has a gradient that follows the differences (seed ${seed}, ${dtype})`, async () => {
      const weights = Object.values(one.weights ?? {});
      const { worst } = await checkGradient(
        {
          name: type,
          dtype,
          inputs: [{ shape: [batch, ...input] }, ...weights.map((shape) => ({ shape }))],
          build: (math, x, ...given) =>
            write(math.builder, make(), input, dtype, true, x ?? math.builder.scalar(0), given),
        },
        seed,
      );
      expect(worst).toBeLessThan(toleranceOf[dtype]);
    });

    it("answers the same after save and load, and one by one as in a batch, from its exported graph", async () => {
      const model = new Sequential([make()], { inputShape: input, seed });
      const loaded = Sequential.load(model.save());
      const all = await model.predict(samples, { threads: 1 });
      expect(all.shape).toEqual([batch, ...output]);
      expect(await loaded.predict(samples, { threads: 1 })).toEqual(all);
      const single = await model.predict(samples, { batchSize: 1, threads: 1 });
      // sums may run in another order
      all.data.forEach((value, i) => void expect(single.data[i]).toBeCloseTo(value, 5));
      await Promise.all([model.close(), loaded.close()]);
    });

    it.skipIf(one.wrongInput === undefined)(
      "refuses another shape by its place, with what it expected and received",
      () => {
        const refused = () => new Sequential([make()], { inputShape: one.wrongInput ?? [] });
        expect(refused).toThrow(SpecError);
        expect(refused).toThrow(/layers\[0\] \(.*_1\): expected .*received /);
        expect(refused).toThrow(NnError);
      },
    );
  });
}

/** The layer's own forward graph on given weights, which come as shown; they are kept as the layer asks. */
function write(
  builder: GraphBuilder,
  layer: Layer,
  input: readonly number[],
  dtype: CheckedType,
  training: boolean,
  x: Value,
  given: readonly Value[],
): Value {
  const math = new GraphMath(builder);
  const { layers } = planModel([layer], input);
  const names = layer.parameters(input).map(({ name }) => name);
  return writeForward({ layers, inputShape: input }, math, x, {
    training,
    weight(id, { view, order, stored }) {
      const place = names.findIndex((name) => id.endsWith(`/${name}`));
      const shown = given[place] ?? builder.input(id, dtype, layer.parameters(input)[place]?.shape ?? []);
      return math.reshape(math.transpose(math.reshape(shown, view), order), stored);
    },
    randomKey: () => builder.scalar(keyOf(seed, 1), "uint32"),
  });
}
