import { describe } from "vitest";
import { goldenFile, goldenTests } from "../testing/golden.ts";
import { checkMetric, type MetricGolden } from "../testing/golden-metric.ts";
import { exceptions } from "./exceptions.ts";

const family = "metrics";
describe(`${family}, golden values`, () =>
  goldenTests(goldenFile<MetricGolden>(family), exceptions[family] ?? {}, checkMetric));
