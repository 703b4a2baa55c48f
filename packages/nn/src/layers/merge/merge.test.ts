import { describeLayer } from "../../testing/describe-layer.ts";
import { add } from "./add.ts";
import { average } from "./average.ts";
import { concatenate } from "./concatenate.ts";
import { dot } from "./dot.ts";
import { maximum } from "./maximum.ts";
import { minimum } from "./minimum.ts";
import { multiply } from "./multiply.ts";
import { subtract } from "./subtract.ts";

const steps = [4, 3];
const pair = [steps, steps];
const three = [steps, steps, steps];

describeLayer("add", [
  { name: "of two", make: () => add(), inputs: pair, output: steps, anyLength: [0] },
  { name: "of three", make: () => add(), inputs: three, output: steps },
  { name: "repeated along steps", make: () => add(), inputs: [[1, 3], steps], output: steps },
  { name: "missing axes", make: () => add(), inputs: [[3], [2, 4, 3]], output: [2, 4, 3] },
  {
    name: "each repeated along the other's axis",
    make: () => add(),
    inputs: [
      [4, 1],
      [1, 3],
    ],
    output: steps,
  },
]);

describeLayer("subtract", [{ name: "of two", make: () => subtract(), inputs: pair, output: steps }]);

describeLayer("multiply", [
  { name: "of three", make: () => multiply(), inputs: three, output: steps },
  { name: "by a gate", make: () => multiply(), inputs: [[2, 4, 3], [3]], output: [2, 4, 3] },
]);

describeLayer("average", [{ name: "of three", make: () => average(), inputs: three, output: steps }]);
describeLayer("maximum", [{ name: "of three", make: () => maximum(), inputs: three, output: steps }]);
describeLayer("minimum", [{ name: "of three", make: () => minimum(), inputs: three, output: steps }]);

describeLayer("concatenate", [
  { name: "channels", make: () => concatenate(), inputs: [steps, [4, 2]], output: [4, 5], anyLength: [0] },
  { name: "steps, of three", make: () => concatenate({ axis: 1 }), inputs: [steps, [1, 3], [2, 3]], output: [7, 3] },
]);

describeLayer("dot", [
  { name: "of vectors", make: () => dot(1), inputs: [[5], [5]], output: [1] },
  { name: "of sequences", make: () => dot(2), inputs: [steps, [2, 3]], output: [4, 2] },
  { name: "different axes", make: () => dot([2, 1]), inputs: [steps, [3, 2]], output: [4, 2] },
  { name: "cosine", make: () => dot(-1, { normalize: true }), inputs: pair, output: [4, 4], anyLength: [0] },
  { name: "of an image and a vector", make: () => dot([3, 1]), inputs: [[2, 4, 3], [3]], output: [2, 4] },
]);
