/** @file The contract of an engine: a new one gets these tests by one call. */
import { tensor } from "@gristmill/onnx";
import { afterEach, describe, expect, it } from "vitest";
import type { Engine, EngineOptions } from "../engine.ts";
import { EngineClosedError, EngineInputError } from "../errors.ts";

const numbers = (...values: number[]) => tensor("float32", [values.length / 3, 3], new Float32Array(values));

/**
 * @param load an engine on a model with inputs `a` and `b`, both float32 [batch, 3], and outputs `sum` (a + b) and
 * `difference` (a - b) of the same shape.
 */
export function describeEngine(name: string, load: (options: EngineOptions) => Promise<Engine>): void {
  describe(`${name} keeps the engine's contract`, () => {
    let engine: Engine | undefined;
    const open = async (): Promise<Engine> => {
      engine = await load({ threads: 1, name: "two-outputs" });
      return engine;
    };
    afterEach(async () => {
      await engine?.close();
      engine = undefined;
    });

    it("[ENG1] says what the model takes and gives, with a name for the size that varies", async () => {
      const { signature } = await open();
      const batch = signature.inputs[0]?.shape[0];
      expect(typeof batch).toBe("string");
      const port = (portName: string) => ({ name: portName, dtype: "float32", shape: [batch, 3] });
      expect(signature.inputs).toEqual([port("a"), port("b")]);
      expect(signature.outputs).toEqual([port("sum"), port("difference")]);
    });

    it("[ENG2] gives the outputs asked for, and all when none is named", async () => {
      const { infer } = bound(await open());
      const inputs = { a: numbers(1, 2, 3, 4, 5, 6), b: numbers(1, 1, 1, 2, 2, 2) };
      const all = await infer(inputs);
      expect(all.outputs["sum"]).toEqual(numbers(2, 3, 4, 6, 7, 8));
      expect(all.outputs["difference"]).toEqual(numbers(0, 1, 2, 2, 3, 4));
      const one = await infer(inputs, { outputs: ["difference"] });
      expect(Object.keys(one.outputs)).toEqual(["difference"]);
      expect(one.computeMs).toBeGreaterThanOrEqual(0);
    });

    it("[ENG3] refuses inputs that don't fit, naming the tensor, what was expected and what was received", async () => {
      const { infer } = bound(await open());
      const a = numbers(1, 2, 3);
      const b = a;
      const wrong: [Parameters<Engine["infer"]>[0], string, RegExp, RegExp][] = [
        [{ a }, "b", /float32 \[\w+, 3\]/, /nothing/],
        [{ a, b, c: a }, "c", /"a", "b"/, /another name/],
        [{ a, b: tensor("float64", [1, 3], new Float64Array(3)) }, "b", /float32/, /float64/],
        [{ a, b: tensor("float32", [3], new Float32Array(3)) }, "b", /\[\w+, 3\]/, /\[3\]/],
        [{ a, b: tensor("float32", [1, 4], new Float32Array(4)) }, "b", /\[\w+, 3\]/, /\[1, 4\]/],
        [{ a, b: numbers(1, 2, 3, 4, 5, 6) }, "b", /= 1 on axis 0, as in "a"/, /2/],
        [{ a, b: { dtype: "float32", shape: [1, 3], data: new Float32Array(2) } }, "b", /3 elements/, /2/],
      ];
      for (const [inputs, at, expected, received] of wrong) {
        const error = await infer(inputs).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(EngineInputError);
        expect(error).toMatchObject({ tensor: at });
        expect((error as EngineInputError).expected).toMatch(expected);
        expect((error as EngineInputError).received).toMatch(received);
      }
      await expect(infer({ a, b }, { outputs: ["product"] })).rejects.toThrow(
        /"product": expected one of the outputs "sum"/,
      );
      expect((await infer({ a, b })).outputs["sum"]).toEqual(numbers(2, 4, 6));
    });

    it("[ENG4] does not run for a caller that has gone", async () => {
      const { infer, stats } = bound(await open());
      const reason = new Error("gone");
      const inputs = { a: numbers(1, 2, 3), b: numbers(1, 2, 3) };
      await expect(infer(inputs, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(stats().runs).toBe(0);
      await infer(inputs);
      expect(stats().runs).toBe(1);
      expect(stats().totalRunMs).toBeGreaterThan(0);
    });

    it("[ENG5] refuses after it was closed; closing twice is fine", async () => {
      const { infer, close } = bound(await open());
      await close();
      await close();
      await expect(infer({ a: numbers(1, 2, 3), b: numbers(1, 2, 3) })).rejects.toBeInstanceOf(EngineClosedError);
    });
  });
}

const bound = (engine: Engine) => ({
  infer: engine.infer.bind(engine),
  stats: engine.stats.bind(engine),
  close: engine.close.bind(engine),
});
