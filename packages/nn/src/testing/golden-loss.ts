/** @file Runs a loss on given predictions as a training does: answer by answer, their weighed mean, and its gradient. */
import { createSession, GraphBuilder, model, type Tensor } from "@gristmill/onnx";
import { gradients } from "../autodiff/gradients.ts";
import { logitsOf } from "../compile/forward.ts";
import { writeObjective } from "../compile/objective.ts";
import { GraphMath } from "../graph/graph-math.ts";
import { plain } from "../layers/features.ts";
import type { Loss } from "../losses/loss.ts";
import { losses } from "../losses/table.ts";
import type { Metric } from "../metrics/metric.ts";
import { sgd } from "../optimizers/sgd.ts";
import { madeFrom } from "../schema/kind.ts";
import { type GoldenArray, type GoldenCase, type GoldenSpec, type Mismatches, mismatches, tensorOf } from "./golden.ts";

/** Predictions and truth with their losses. */
export interface LossGolden extends GoldenCase {
  readonly loss: GoldenSpec;
  readonly target: GoldenArray;
  /** [batch, ..., outputs] */
  readonly prediction: GoldenArray;
  /** [batch] or [batch, answers] */
  readonly sampleWeight?: GoldenArray;
  /** [batch, steps] */
  readonly mask?: GoldenArray;
  /** Of each answer, without weights and mask. */
  readonly values: GoldenArray;
  /** What is minimized: with weights and mask. */
  readonly value: number | string;
  /** Of `value` by the prediction; left out where an answer has none. */
  readonly gradient?: GoldenArray;
}

/** Shares of the largest number: logarithms and exponentials of float32 are good to some 1e-7 of their argument. */
export const lossTolerance = { value: 5e-6, gradient: 1e-5 } as const;

/** Everything that is wrong with the loss on this case. @throws SpecError where it cannot be made */
export async function checkLoss(one: LossGolden): Promise<Mismatches> {
  const loss = madeFrom<Loss>(losses, one.loss);
  const builder = new GraphBuilder("loss");
  const math = new GraphMath(builder);
  const output = builder.input("prediction", "float32", one.prediction.shape);
  const { dtype } = loss.target(one.prediction.shape.slice(1));
  const target = builder.input("target", dtype, one.target.shape);
  const mask = one.mask && math.cast(builder.input("mask", "float32", one.mask.shape), "bool");
  const weight = one.sampleWeight && builder.input("weight", "float32", one.sampleWeight.shape);
  // CTC reads the mask itself, so it has no loss without one
  const alone = { math, output, logits: logitsOf(math, output), target, mask: loss.usesMask ? mask : undefined };
  builder.output(loss.perAnswer(alone), "values");
  const objective = { name: "output", loss, lossWeight: 1, metrics: new Map<string, Metric>() };
  const features = plain(output, one.prediction.shape.slice(1), mask);
  const judged = writeObjective(math, { outputs: [objective], optimizer: sgd().value }, [{ features, target, weight }]);
  builder.output(judged.loss, "value");
  const [slope] = gradients(math, { value: judged.loss, gradient: math.scalar(1, judged.loss) }, [output]);
  if (slope !== undefined) builder.output(slope, "gradient");
  const session = await createSession(model(builder.build()), { threads: 1, name: one.name });
  try {
    const truth = dtype === "int32" ? { ...one.target, dtype } : { shape: one.target.shape, data: one.target.data };
    const feeds: Record<string, Tensor> = { prediction: tensorOf(one.prediction), target: tensorOf(truth) };
    if (one.mask) feeds["mask"] = tensorOf(one.mask);
    if (one.sampleWeight) feeds["weight"] = tensorOf(one.sampleWeight);
    const { outputs } = await session.run(feeds);
    const values = outputs["values"];
    return [
      // ours may keep an axis of 1 where an answer has one number
      ...mismatches("values", values && { ...values, shape: one.values.shape }, one.values, lossTolerance.value),
      ...mismatches("value", outputs["value"], { shape: [], data: [one.value] }, lossTolerance.value),
      ...(one.gradient
        ? mismatches("gradient", outputs["gradient"], one.gradient, lossTolerance.gradient)
        : finite(outputs["gradient"])),
    ];
  } finally {
    await session.close();
  }
}

const finite = (value: Tensor | undefined): Mismatches =>
  value !== undefined && Array.from(value.data, Number).every(Number.isFinite)
    ? []
    : ["gradient: expected finite numbers"];
