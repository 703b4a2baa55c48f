/** @file What every loss must hold. A new loss gets its tests by one call. */
import { createSession, GraphBuilder, model, tensor, type Value } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { logitsOf } from "../compile/forward.ts";
import { GraphMath, sizesOf } from "../graph/graph-math.ts";
import type { Loss } from "../losses/loss.ts";
import { checkGradient, toleranceOf } from "./gradient-check.ts";

/** Outputs and answers with their losses, worked out by hand. */
export interface LossCase {
  readonly name: string;
  /** The activation that made the outputs: then `values` are its inputs. */
  readonly after?: "Softmax" | "Sigmoid";
  /** [batch, ...] */
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly target: readonly number[];
  /** One per answer. */
  readonly expected: readonly number[];
}

const seed = 5;

function writeLoss(math: GraphMath, loss: Loss, one: LossCase, x: Value): Value {
  const { builder } = math;
  const output = one.after === undefined ? x : builder.op(one.after, [x]);
  const { dtype, shape } = loss.target(one.shape.slice(1));
  const sizes = [one.shape[0] ?? 1, ...shape];
  const target = builder.constant(
    dtype === "int32"
      ? tensor("int32", sizes, Int32Array.from(one.target))
      : tensor("float32", sizes, Float32Array.from(one.target)),
  );
  return loss.perAnswer({ math, output, logits: logitsOf(math, output), target, mask: undefined });
}

/** Runs the suite. */
export function describeLoss(type: string, make: () => Loss, cases: readonly LossCase[]): void {
  describe.each(cases.map((one) => [one.name, one] as const))(`${type}, %s`, (_name, one) => {
    it("is what the formula says, answer by answer", async () => {
      const builder = new GraphBuilder();
      const loss = writeLoss(new GraphMath(builder), make(), one, builder.input("x", "float32", one.shape));
      expect(sizesOf(loss).reduce((product, size) => product * size, 1)).toBe(one.expected.length);
      builder.output(loss, "loss");
      const session = await createSession(model(builder.build()), { threads: 1 });
      const { outputs } = await session.run({ x: tensor("float32", one.shape, Float32Array.from(one.values)) });
      await session.close();
      const received = Array.from(outputs["loss"]?.data ?? [], Number);
      expect(received.length).toBe(one.expected.length);
      one.expected.forEach((value, i) => void expect(received[i]).toBeCloseTo(value, 4));
    });

    it(`has a gradient that follows the differences (seed ${seed}, float32)`, async () => {
      const { worst } = await checkGradient(
        {
          name: type,
          dtype: "float32",
          inputs: [{ shape: one.shape, values: one.values }],
          build: (math, x) => writeLoss(math, make(), one, x ?? math.builder.scalar(0)),
        },
        seed,
      );
      expect(worst).toBeLessThan(toleranceOf.float32);
    });
  });
}
