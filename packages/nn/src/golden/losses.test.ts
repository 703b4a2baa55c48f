import { describe } from "vitest";
import { goldenFile, goldenTests } from "../testing/golden.ts";
import { checkLoss, type LossGolden } from "../testing/golden-loss.ts";
import { exceptions } from "./exceptions.ts";

const family = "losses";
describe(`${family}, golden values`, () =>
  goldenTests(goldenFile<LossGolden>(family), exceptions[family] ?? {}, checkLoss));
