/** @file What every layer must hold. A new layer gets its tests by one call. */
import { GraphBuilder, type Value } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { writeForward } from "../compile/forward.ts";
import { planModel } from "../compile/plan.ts";
import { NnError, SpecError } from "../errors.ts";
import { GraphMath } from "../graph/graph-math.ts";
import type { Layer } from "../layers/layer.ts";
import { layerSpec } from "../layers/registry.ts";
import type { SampleShape } from "../layers/shape.ts";
import { Model } from "../model/model.ts";
import { type Network, traceNetwork } from "../network/network.ts";
import { input as declareInput, type InputDtype } from "../network/symbolic.ts";
import { keyOf, normalAt, uniformAt } from "../random/hash.ts";
import { parseSpec } from "../spec/model-spec.ts";
import { type CheckedType, checkGradient, toleranceOf } from "./gradient-check.ts";

/** One use of a layer. */
export interface LayerCase {
  /** What is special about it. */
  readonly name: string;
  readonly make: () => Layer;
  /** Sizes of one sample; with `inputs` of each input. */
  readonly input?: readonly number[];
  readonly inputs?: readonly (readonly number[])[];
  /** Sizes of one answer; with `outputs` of each output. */
  readonly output?: readonly number[];
  readonly outputs?: readonly (readonly number[])[];
  /** Shapes by name, as Keras has them, in order. */
  readonly weights?: Readonly<Record<string, readonly number[]>>;
  /** float32 where the runtime has no float64 kernel. */
  readonly dtype?: CheckedType;
  /** Whole numbers from 0 up to but without this enter instead of random ones. */
  readonly tokens?: number;
  /** Sizes that it must refuse; left out where any will do. */
  readonly wrongInput?: readonly number[];
  /** Axes of the first input that may be null, where the layer takes sequences of any length: [0]. */
  readonly anyLength?: readonly number[];
}

const seed = 77;
const batch = 3;
const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const inputsOf = ({ input = [], inputs = [input] }: LayerCase): readonly (readonly number[])[] => inputs;
const outputsOf = ({ output = [], outputs = [output] }: LayerCase): readonly (readonly number[])[] => outputs;
const inputDtype = ({ tokens }: LayerCase): InputDtype => (tokens === undefined ? "float32" : "int32");

/** A network of the layer alone. */
function networkOf(one: LayerCase, shapes: readonly SampleShape[] = inputsOf(one)): Network {
  const entering = shapes.map((shape, i) => declareInput({ shape, name: `in${i}`, dtype: inputDtype(one) }));
  return traceNetwork(entering, one.make().applyAll(entering));
}

const modelOf = (one: LayerCase, shapes?: readonly SampleShape[]): Model => {
  const network = networkOf(one, shapes);
  return new Model({ network, plan: planModel(network), layers: undefined }, { seed });
};

/** Samples for each input of a model of the layer alone. */
const samplesOf = (one: LayerCase) =>
  Object.fromEntries(
    inputsOf(one).map((shape, place) => {
      const length = batch * countOf(shape);
      const { tokens } = one;
      const data =
        tokens === undefined
          ? Float32Array.from({ length }, (_, i) => normalAt(seed + place, i))
          : Int32Array.from({ length }, (_, i) => Math.floor(uniformAt(seed + place, i) * tokens));
      return [`in${place}`, { shape: [batch, ...shape], data }];
    }),
  );

/** Runs the suite for each use. */
export function describeLayer(type: string, cases: readonly LayerCase[]): void {
  describe.each(cases.map((one) => [one.name, one] as const))(`${type}, %s`, (_name, one) => {
    const { make, dtype = "float64" } = one;
    const [inputs, outputs] = [inputsOf(one), outputsOf(one)];

    it("makes the shapes that it says, and declares its weights", () => {
      expect(make().type).toBe(type);
      expect(make().outputShapes(inputs, type)).toEqual(outputs);
      const declared = make().parameters(inputs);
      expect(Object.fromEntries(declared.map(({ name, shape }) => [name, shape]))).toEqual(one.weights ?? {});
      const builder = new GraphBuilder();
      const given = inputs.map((shape, i) =>
        builder.input(`x${i}`, one.tokens === undefined ? dtype : "int32", ["batch", ...shape]),
      );
      const written = write(builder, one, dtype, false, given, []);
      expect(written.map((value) => [value.dtype, value.shape])).toEqual(
        outputs.map((shape) => [dtype, ["batch", ...shape]]),
      );
    });

    it("comes back from its JSON", () => {
      const spec = modelOf(one).toSpec();
      expect(parseSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    });

    it(`has a gradient that follows the differences (seed ${seed}, ${dtype})`, async () => {
      const weights = Object.values(one.weights ?? {});
      const samples = Object.values(samplesOf(one));
      const { worst } = await checkGradient(
        {
          name: type,
          dtype,
          // tokens are no numbers to differentiate by: they are constants
          inputs: [
            ...(one.tokens === undefined ? inputs.map((shape) => ({ shape: [batch, ...shape] })) : []),
            ...weights.map((shape) => ({ shape })),
          ],
          build(math, ...given) {
            const { builder } = math;
            const entering =
              one.tokens === undefined
                ? given.slice(0, inputs.length)
                : samples.map(({ shape, data }) =>
                    builder.constant({ dtype: "int32", shape, data: Int32Array.from(data) }),
                  );
            const values = write(
              builder,
              one,
              dtype,
              true,
              entering,
              one.tokens === undefined ? given.slice(inputs.length) : given,
            );
            // every output counts, each in its own way
            const flat = values.map((value) => math.reshape(value, [-1]));
            return math.concat(flat, 0);
          },
        },
        seed,
      );
      expect(worst).toBeLessThan(toleranceOf[dtype]);
    });

    it("answers the same after save and load, and one by one as in a batch, from its exported graph", async () => {
      const model = modelOf(one);
      const loaded = Model.load(model.save());
      const all = await model.predictAll(samplesOf(one), { threads: 1 });
      expect(Object.values(all).map(({ shape }) => shape)).toEqual(outputs.map((shape) => [batch, ...shape]));
      expect(await loaded.predictAll(samplesOf(one), { threads: 1 })).toEqual(all);
      const single = await model.predictAll(samplesOf(one), { batchSize: 1, threads: 1 });
      // sums may run in another order
      for (const [name, { data }] of Object.entries(all))
        data.forEach((value, i) => void expect(single[name]?.data[i]).toBeCloseTo(value, 5));
      await Promise.all([model.close(), loaded.close()]);
    });

    if (one.anyLength !== undefined)
      it("answers the same where only the run knows the lengths", async () => {
        const [first = [], ...others] = inputs;
        const open = first.map((size, axis) => (one.anyLength?.includes(axis) ? null : size));
        const fixed = modelOf(one);
        const free = modelOf(one, [
          open,
          ...others.map((shape) => shape.map((s, a) => (one.anyLength?.includes(a) ? null : s))),
        ]);
        const expected = Object.values(await fixed.predictAll(samplesOf(one), { threads: 1 }));
        const received = Object.values(await free.predictAll(samplesOf(one), { threads: 1 }));
        expected.forEach(({ shape, data }, k) => {
          expect(received[k]?.shape).toEqual(shape);
          data.forEach((value, i) => void expect(received[k]?.data[i]).toBeCloseTo(value, 5));
        });
        await Promise.all([fixed.close(), free.close()]);
      });

    if (one.wrongInput !== undefined)
      it("refuses another shape by its place, with what it expected and received", () => {
        const wrong = one.wrongInput ?? [];
        const spec = { inputShape: wrong, layers: [layerSpec(make())] };
        const refused = () => parseSpec(spec);
        expect(refused).toThrow(SpecError);
        expect(refused).toThrow(/layers\[0\] \(.*_1\): expected .*received /);
        expect(refused).toThrow(NnError);
      });
  });
}

/** The layer's own forward graph on given weights, which come as shown; they are kept as the layer asks. */
function write(
  builder: GraphBuilder,
  one: LayerCase,
  dtype: CheckedType,
  training: boolean,
  inputs: readonly Value[],
  given: readonly Value[],
): Value[] {
  const math = new GraphMath(builder);
  const plan = planModel(networkOf(one));
  const parameters = plan.weights;
  return writeForward(plan, math, inputs, {
    training,
    weight(id, storage) {
      const place = parameters.findIndex((parameter) => parameter.id === id);
      const shown = given[place] ?? builder.input(id, dtype, parameters[place]?.parameter.shape ?? []);
      const { view, order, stored } = storage;
      return { value: math.reshape(math.transpose(math.reshape(shown, view), order), stored), storage };
    },
    randomKey: () => builder.scalar(keyOf(seed, 1), "uint32"),
    update: () => {},
    addLoss: () => {},
  }).map(({ value }) => value);
}
