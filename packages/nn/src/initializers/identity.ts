import { ShapeError } from "@gristmill/onnx";
import { anyNumber } from "../schema/field.ts";
import { defineKind } from "../schema/kind.ts";
import { fill, type Initializer } from "./initializer.ts";

/**
 * `gain` (1) on the diagonal, 0 elsewhere: a layer that begins by handing its input on.
 * Shapes: matrices alone, square or not.
 */
export const identity = defineKind(
  "identity",
  { gain: anyNumber(1) },
  ({ gain }): Initializer =>
    (shape) => {
      const [, columns] = shape;
      if (shape.length !== 2 || columns === undefined)
        throw new ShapeError(
          "identity",
          `expected a matrix, received a weight of [${shape.join(", ")}]; use orthogonal or zeros`,
        );
      return fill(shape, (position) => (Math.floor(position / columns) === position % columns ? gain : 0));
    },
);
