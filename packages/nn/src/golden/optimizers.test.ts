import { describe } from "vitest";
import { goldenFile, goldenTests } from "../testing/golden.ts";
import { checkOptimizer, type OptimizerGolden } from "../testing/golden-optimizer.ts";
import { exceptions } from "./exceptions.ts";

const family = "optimizers";
describe(`${family}, golden values`, () =>
  goldenTests(goldenFile<OptimizerGolden>(family), exceptions[family] ?? {}, checkOptimizer));
