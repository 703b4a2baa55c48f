import { describe } from "vitest";
import type { Schedule } from "../schedules/schedule.ts";
import { schedules } from "../schedules/table.ts";
import { madeFrom } from "../schema/kind.ts";
import { type GoldenCase, type GoldenSpec, goldenFile, goldenTests, mismatches } from "../testing/golden.ts";
import { exceptions } from "./exceptions.ts";

/** A schedule and the learning rate of each step from the first on. */
interface ScheduleGolden extends GoldenCase {
  readonly schedule: GoldenSpec;
  readonly values: readonly number[];
}

/** Keras computes its schedules in float32, on rates of a tenth. */
const tolerance = 1e-7;

for (const family of ["schedules", "schedules_torch"])
  describe(`${family}, golden values`, () =>
    goldenTests(goldenFile<ScheduleGolden>(family), exceptions[family] ?? {}, async (one) => {
      const schedule = madeFrom<Schedule>(schedules, one.schedule);
      const data = Float64Array.from(one.values, (_, step) => schedule(step));
      const shape = [one.values.length];
      return mismatches("rates", { shape, data }, { shape, data: one.values }, tolerance);
    }));
