import { expect, it } from "vitest";
import { labelEncoding } from "./labels.ts";

it("[RUN3] class numbers go to sparse losses, one-hot rows and single answers to the others", () => {
  expect(labelEncoding("sparseCategoricalCrossentropy", [10], 10)).toEqual({ encoding: "index" });
  expect(labelEncoding("categoricalCrossentropy", [10], 10)).toEqual({ encoding: "one-hot" });
  expect(labelEncoding("meanSquaredError", [10], 10)).toEqual({ encoding: "one-hot" });
  expect(labelEncoding("binaryCrossentropy", [1], 2)).toEqual({ encoding: "binary" });
});

it("[RUN3] an output that is not one number a class is refused with expected and received", () => {
  const cases = [
    labelEncoding("sparseCategoricalCrossentropy", [12], 10),
    labelEncoding("sparseCategoricalCrossentropy", [4, 10], 10),
    labelEncoding("binaryCrossentropy", [1], 10),
    labelEncoding("meanSquaredError", [5, 5, 10], 10),
  ];
  expect(cases.map((answer) => "problem" in answer && answer.problem)).toEqual(
    ["[12]", "[4, 10]", "[1]", "[5, 5, 10]"].map(
      (received) =>
        `expected the last layer's output to be [10], one output for each of the dataset's 10 classes, received ${received}`,
    ),
  );
});
