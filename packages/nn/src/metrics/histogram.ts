/** @file How often each of a few whole numbers comes: the sums behind curves and confusion matrices. */
import type { Value } from "@gristmill/onnx";
import { countsOf, type Observed } from "./metric.ts";

/**
 * float32 [size]: how often each place comes among places int64 [batch, ...]; those that the mask drops and those that are
 * no place from 0 on do not count. One ScatterElements over all of them: a comparison with every place would take `size`
 * times as many steps.
 */
export function histogram(observed: Observed, places: Value, size: number): Value {
  const { math } = observed;
  const { builder } = math;
  const isPlace = builder.op("And", [
    builder.op("GreaterOrEqual", [places, math.scalar(0, places)]),
    math.less(places, size),
  ]);
  const counts = math.where(isPlace, countsOf(observed, places), 0);
  const safe = math.where(isPlace, places, 0);
  const flat = (value: Value): Value => builder.op("Reshape", [value, builder.ints(-1)]);
  const zeros = math.filled([size], 0, "float32");
  return builder.op("ScatterElements", [zeros, flat(safe), flat(counts)], { axis: 0, reduction: "add" });
}
