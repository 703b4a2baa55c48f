/** @file What every loss must hold. A new loss gets its tests by one call. */
import { createSession, GraphBuilder, model, type Tensor, tensor, type Value } from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { logitsOf } from "../compile/forward.ts";
import { GraphMath } from "../graph/graph-math.ts";
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
  /** bool [batch, steps] */
  readonly mask?: { readonly shape: readonly number[]; readonly data: readonly number[] };
  /** One per answer. */
  readonly expected: readonly number[];
  /** True at a point where the loss bends or jumps, so that there is no slope to compare. */
  readonly bends?: boolean;
}

const seed = 5;

function targetOf(loss: Loss, one: LossCase): Tensor {
  const { dtype, shape } = loss.target(one.shape.slice(1));
  const sizes = [one.shape[0] ?? 1, ...shape];
  return dtype === "int32"
    ? tensor("int32", sizes, Int32Array.from(one.target))
    : tensor("float32", sizes, Float32Array.from(one.target));
}

const maskOf = ({ mask }: LossCase): Tensor | undefined =>
  mask && tensor("float32", mask.shape, Float32Array.from(mask.data));

/** What is fed beside the output, where it is fed: constants of the graph where it is not. */
interface Fed {
  readonly target: Value;
  readonly mask: Value | undefined;
}

function writeLoss(math: GraphMath, loss: Loss, one: LossCase, x: Value, fed?: Fed): Value {
  const { builder } = math;
  const output = one.after === undefined ? x : builder.op(one.after, [x]);
  const [truth, heard] = [targetOf(loss, one), maskOf(one)];
  const { target, mask } = fed ?? { target: builder.constant(truth), mask: heard && builder.constant(heard) };
  return loss.perAnswer({
    math,
    output,
    logits: logitsOf(math, output),
    target,
    mask: mask && math.cast(mask, "bool"),
  });
}

async function run(loss: Loss, one: LossCase, values: readonly number[]): Promise<number[]> {
  const builder = new GraphBuilder();
  const [truth, heard] = [targetOf(loss, one), maskOf(one)];
  // as in an evaluation, where only the run knows how many samples there are
  const input = (name: string, { dtype, shape }: Pick<Tensor, "dtype" | "shape">): Value =>
    builder.input(name, dtype, ["batch", ...shape.slice(1)]);
  const x = input("x", { dtype: "float32", shape: one.shape });
  const fed = { target: input("target", truth), mask: heard && input("mask", heard) };
  builder.output(writeLoss(new GraphMath(builder), loss, one, x, fed), "loss");
  const session = await createSession(model(builder.build()), { threads: 1 });
  const { outputs } = await session.run({
    x: tensor("float32", one.shape, Float32Array.from(values)),
    target: truth,
    ...(heard && { mask: heard }),
  });
  await session.close();
  return Array.from(outputs["loss"]?.data ?? [], Number);
}

/** Runs the suite. */
export function describeLoss(type: string, make: () => Loss, cases: readonly LossCase[]): void {
  describe.each(cases.map((one) => [one.name, one] as const))(`${type}, %s`, (_name, one) => {
    it("is what the formula says, answer by answer, in a batch of any size", async () => {
      const received = await run(make(), one, one.values);
      expect(received.length).toBe(one.expected.length);
      one.expected.forEach((value, i) => {
        expect(Math.abs(value - (received[i] ?? Number.NaN)) / Math.max(1, Math.abs(value))).toBeLessThan(5e-5);
      });
    });

    it("does not hide NaN", async () => {
      const received = await run(
        make(),
        one,
        one.values.map(() => Number.NaN),
      );
      expect(received.some(Number.isNaN)).toBe(true);
    });

    if (!one.bends)
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
