import { createSession, GraphBuilder, model } from "@gristmill/onnx";
import { describe } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { GraphMath } from "../graph/graph-math.ts";
import type { Regularizer } from "../regularizers/regularizer.ts";
import { regularizers } from "../regularizers/table.ts";
import { madeFrom } from "../schema/kind.ts";
import {
  type GoldenArray,
  type GoldenCase,
  type GoldenSpec,
  goldenFile,
  goldenTests,
  type Mismatches,
  mismatches,
  tensorOf,
} from "../testing/golden.ts";
import { exceptions } from "./exceptions.ts";

/** A weight, its penalty, and the penalty's gradient. */
interface RegularizerGolden extends GoldenCase {
  readonly regularizer: GoldenSpec;
  readonly weight: GoldenArray;
  readonly penalty: number;
  readonly gradient: GoldenArray;
}

/** float32 sums of a dozen numbers. */
const tolerance = 2e-6;

async function check(one: RegularizerGolden): Promise<Mismatches> {
  const builder = new GraphBuilder("regularizer");
  const math = new GraphMath(builder);
  const weight = builder.input("weight", "float32", one.weight.shape);
  const penalty = madeFrom<Regularizer>(regularizers, one.regularizer)(math, weight);
  const [slope] = gradients(math, { value: penalty, gradient: math.scalar(1, penalty) }, [weight]);
  builder.output(penalty, "penalty");
  if (slope !== undefined) builder.output(slope, "gradient");
  const session = await createSession(model(builder.build()), { threads: 1 });
  const { outputs } = await session.run({ weight: tensorOf(one.weight) });
  await session.close();
  return [
    ...mismatches("penalty", outputs["penalty"], { shape: [], data: [one.penalty] }, tolerance),
    ...mismatches("gradient", outputs["gradient"], one.gradient, tolerance),
  ];
}

const family = "regularizers";
describe(`${family}, golden values`, () =>
  goldenTests(goldenFile<RegularizerGolden>(family), exceptions[family] ?? {}, check));
