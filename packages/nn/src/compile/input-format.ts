/** @file How samples come in: as numbers, or as bytes that the graph itself turns into numbers, batch by batch. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";

/** Element type of the samples that are fed, and the factor that makes them the model's input (1 / 255 for pixels). */
export interface InputFormat {
  readonly dtype: "float32" | "uint8";
  readonly scale: number;
}

/** Fed samples as the model's float32 input. */
export function writeInput(math: GraphMath, samples: Value, { scale }: InputFormat): Value {
  const numbers = math.cast(samples, "float32");
  return scale === 1 ? numbers : math.mul(numbers, scale);
}
