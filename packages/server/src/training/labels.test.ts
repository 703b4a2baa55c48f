import { expect, it } from "vitest";
import { labelEncoding } from "./labels.ts";

it("[RUN3] class numbers go to sparse losses, one-hot rows and single answers to the others", () => {
  expect(labelEncoding({ dtype: "int32", shape: [], classes: 10 }, [10], 10)).toEqual({ encoding: "index" });
  expect(labelEncoding({ dtype: "float32", shape: [10] }, [10], 10)).toEqual({ encoding: "one-hot" });
  expect(labelEncoding({ dtype: "float32", shape: [1] }, [1], 2)).toEqual({ encoding: "binary" });
});

it("[RUN3] an output that is not one number a class is refused with expected and received", () => {
  const cases = [
    labelEncoding({ dtype: "int32", shape: [], classes: 12 }, [12], 10),
    labelEncoding({ dtype: "int32", shape: [4], classes: 10 }, [4, 10], 10),
    labelEncoding({ dtype: "float32", shape: [1] }, [1], 10),
    labelEncoding({ dtype: "float32", shape: [5, 5, 10] }, [5, 5, 10], 10),
  ];
  expect(cases.map((answer) => "problem" in answer && answer.problem)).toEqual(
    ["[12]", "[4, 10]", "[1]", "[5, 5, 10]"].map(
      (received) =>
        `expected the last layer's output to be [10], one output for each of the dataset's 10 classes, received ${received}`,
    ),
  );
});
