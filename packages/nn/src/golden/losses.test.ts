import { describe } from "vitest";
import { goldenFile, goldenTests } from "../testing/golden.ts";
import { checkLoss, type LossGolden } from "../testing/golden-loss.ts";
import { exceptions } from "./exceptions.ts";

for (const family of ["losses", "losses_ctc"])
  describe(`${family}, golden values`, () =>
    goldenTests(goldenFile<LossGolden>(family), exceptions[family] ?? {}, checkLoss));
