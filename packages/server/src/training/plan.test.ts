import { createRun, type DatasetVersion } from "@gristmill/contract";
import { expect, it } from "vitest";
import type { PinnedDataset } from "../data/index.ts";
import { planRun } from "./plan.ts";

const split = (name: string, records: number): DatasetVersion["splits"][number] => ({
  name,
  records,
  class_counts: [],
  sha256: "",
  size_bytes: 0,
});
const pinned: PinnedDataset = {
  datasetId: "dst_1",
  name: "digits",
  licence: "MIT",
  source: {},
  objects: {},
  version: {
    id: "dsv_1",
    version: 3,
    sha256: "",
    format: "idx",
    record_shape: [28, 28, 1],
    dtype: "uint8",
    class_names: Array.from({ length: 10 }, (_, i) => String(i)),
    splits: [split("test", 100), split("train", 600)],
    size_bytes: 0,
    created_at: "",
  },
};

const dense = (units: number) => ({ type: "dense", units, activation: "softmax" });
const layers = (...list: object[]) => ({ inputShape: [28, 28, 1], layers: list });
const good = layers({ type: "flatten" }, dense(10));

/** What is wrong with a request. */
function problemsOf(input: Record<string, unknown>): { code: string; problems: Record<string, string> } {
  try {
    planRun(createRun.parse({ dataset: "digits", spec: good, ...input }), pinned);
  } catch (error) {
    const { code, details } = error as { code: string; details: { problems: { where: string; message: string }[] } };
    return { code, problems: Object.fromEntries(details.problems.map(({ where, message }) => [where, message])) };
  }
  return { code: "none", problems: {} };
}

it("[RUN2] keeps what a run needs, with every setting written out", () => {
  const plan = planRun(createRun.parse({ dataset: "digits", spec: good }), pinned);
  expect(plan).toMatchObject({
    dataset: { name: "digits", version: 3, licence: "MIT" },
    trainRecords: 600,
    testRecords: 100,
    encoding: "index",
    parameters: 7850,
    compile: { optimizer: { type: "adam", learningRate: 0.001 }, loss: { type: "sparseCategoricalCrossentropy" } },
  });
  expect(plan.spec.layers[1]).toMatchObject({ type: "dense", units: 10, useBias: true });
});

it("[RUN2] an unknown layer is named, with the likely one", () => {
  const { code, problems } = problemsOf({ spec: layers({ type: "flaten" }, dense(10)) });
  expect(code).toBe("spec.invalid");
  expect(problems["spec.layers[0]"]).toMatch(/unknown layer "flaten" \(did you mean "flatten"\?\)/);
});

it("[RUN2] layers whose shapes do not fit are named, with expected and received", () => {
  const { code, problems } = problemsOf({
    spec: layers({ type: "flatten" }, { type: "conv2d", filters: 8, kernelSize: 3 }),
  });
  expect(code).toBe("spec.invalid");
  expect(problems["spec.layers[1] (conv2d_1)"]).toMatch(/expected .*\[height, width, channels\].* received \[784\]/);
});

it("[RUN2] a model that does not take the dataset's records is told both sizes", () => {
  const { problems } = problemsOf({ spec: { inputShape: [32, 32, 3], layers: [{ type: "flatten" }, dense(10)] } });
  expect(problems).toEqual({ "spec.inputShape": "expected [28, 28, 1], the dataset's records, received [32, 32, 3]" });
});

it("[RUN3] a model that does not answer one number a class is told both sizes", () => {
  const { problems } = problemsOf({ spec: layers({ type: "flatten" }, dense(12)) });
  expect(problems["spec.layers[1]"]).toMatch(/expected the last layer's output to be \[10\].* received \[12\]/);
});

it("[RUN2] all problems come in one answer", () => {
  const { code, problems } = problemsOf({
    spec: layers({ type: "flatten" }, { type: "dense" }),
    compile: { optimizer: "adm", loss: "nothing" },
    train_split: "training",
    test_split: "tests",
    fit: { validation_split: 0.5 },
  });
  expect(code).toBe("spec.invalid");
  expect(Object.keys(problems)).toEqual([
    expect.stringMatching(/^spec\.layers\[1\]/),
    "compile.optimizer",
    "compile.loss",
    "train_split",
    "test_split",
  ]);
  expect(problems["test_split"]).toBe('expected one of test, train, or null to evaluate nothing, received "tests"');
});

it("[RUN2] what is wrong beside the spec is request.invalid", () => {
  const { code, problems } = problemsOf({ train_split: "other", fit: { validation_split: 0.999 } });
  expect([code, Object.keys(problems)]).toEqual(["request.invalid", ["train_split"]]);
  const none = problemsOf({ fit: { validation_split: 0.999 } });
  expect(none.problems["fit.validation_split"]).toMatch(/leaves records on both sides of 600, received 0.999/);
  expect(problemsOf({ test_split: null }).code).toBe("none");
});

it("[RUN2] a model too large to train is refused before anything is allocated", () => {
  const { problems } = problemsOf({ spec: layers({ type: "flatten" }, { type: "dense", units: 400_000 }, dense(10)) });
  expect(problems["spec.layers"]).toMatch(/expected at most 268435456 parameters, received 31\d{7}/);
});
