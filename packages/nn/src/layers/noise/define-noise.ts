import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { type Field, fraction, numberWhere } from "../../schema/field.ts";
import { type DefinedLayer, defineLayer } from "../define-layer.ts";
import type { Features } from "../features.ts";
import type { SampleShape } from "../shape.ts";

/** What says how strong the noise is; 0 is none. */
const strengths: Readonly<Record<"rate" | "stddev", Field<number>>> = {
  rate: fraction(),
  stddev: numberWhere("a number from 0", (value) => value >= 0),
};

/** What makes one noise differ from another. */
interface Noise {
  readonly type: string;
  readonly strength: keyof typeof strengths;
  /** @throws ShapeError at `where` for samples that it can't take */
  check?(input: SampleShape, where: string): void;
  /** The noisy features. `key`: a uint32 that is another in each step and place. */
  write(math: GraphMath, input: Features, strength: number, key: Value): Value;
}

/** Defines a layer that changes its input at random while training, keeps its shape and mask, and does nothing otherwise. */
export const defineNoise = ({ type, strength, check, write }: Noise): DefinedLayer =>
  defineLayer({
    type,
    fields: { [strength]: strengths[strength] },
    mask: "passes",
    outputShape(_, input, where) {
      check?.(input, where);
      return input;
    },
    build(config, scope, input) {
      const amount = config[strength] ?? 0;
      if (!scope.training || amount === 0) return input;
      return { ...input, value: write(scope.math, input, amount, scope.randomKey()) };
    },
  });
