/** @file What becomes of the masks of several inputs. */
import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import type { Features } from "../features.ts";
import { formatSample } from "../shape.ts";

/**
 * True where every input that has a mask counts; undefined when none has one.
 * @throws ShapeError for a mask of an input that has fewer axes than the answer: its steps would lie on another axis.
 */
export function andMasks(math: GraphMath, inputs: readonly Features[], rank: number, where: string): Value | undefined {
  const masks = new Set<Value>();
  for (const { mask, shape } of inputs) {
    if (mask === undefined) continue;
    if (shape.length < rank)
      throw new ShapeError(
        where,
        `expected a mask on samples of ${rank} axes, received one on ${formatSample(shape)}; put repeatVector or reshape before it`,
      );
    masks.add(mask);
  }
  const [first, ...others] = masks;
  return first && others.reduce((all, mask) => math.builder.op("And", [all, mask]), first);
}
