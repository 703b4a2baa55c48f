import type { Value } from "@gristmill/onnx";
import { activate, activationField } from "../../activations/field.ts";
import type { GraphMath } from "../../graph/graph-math.ts";
import { linearMap } from "../../graph/linear-map.ts";
import { flag } from "../../schema/field.ts";
import { plain } from "../features.ts";
import type { Layer } from "../layer.ts";
import { defineRecurrent } from "./define-recurrent.ts";
import { dropFactors, dropped } from "./drop.ts";
import { gateParameters, type RecurrentOptions, weightFields } from "./settings.ts";

/** Settings of `lstm` beside its units. */
export interface LstmOptions extends RecurrentOptions {
  readonly recurrentActivation?: RecurrentOptions["activation"];
  readonly unitForgetBias?: boolean;
}

/** The table's entry of `lstm`. */
export const lstmKind = defineRecurrent({
  type: "lstm",
  fields: { ...weightFields, recurrentActivation: activationField("sigmoid"), unitForgetBias: flag(true) },
  states: ({ units }) => [
    { name: "h", size: units },
    { name: "c", size: units },
  ],
  parameters: (config, features) =>
    gateParameters(
      config,
      features,
      4,
      config.unitForgetBias ? { initializer: { type: "unitForgetBias", others: config.biasInitializer } } : {},
    ),
  project({ useBias, dropout }, scope, x) {
    const factors = dropFactors(scope, "dropout", dropout, x, Number(x.shape.at(-1)));
    const bias = useBias ? scope.weight("bias") : undefined;
    return linearMap(scope.math, dropped(scope.math, x, factors), scope.weight("kernel"), bias);
  },
  step({ units, activation, recurrentActivation, recurrentDropout }, scope, x) {
    const kernel = scope.weight("recurrent_kernel");
    const factors = dropFactors(scope, "recurrentDropout", recurrentDropout, x, units);
    const gate = (math: GraphMath, z: Value | undefined, name = recurrentActivation): Value => {
      if (z === undefined) throw new Error("lstm: expected four gates");
      return activate(math, name, plain(z, [units])).value;
    };
    return (math, [h, c], entering) => {
      if (h === undefined || c === undefined) throw new Error("lstm: expected two states");
      const sum = math.builder.op("Gemm", [dropped(math, h, factors), kernel, entering]);
      const [i, f, candidate, o] = math.builder.ops("Split", [sum], { axis: 1, num_outputs: 4 }, 4);
      const kept = math.mul(gate(math, f), c);
      const cell = math.add(kept, math.mul(gate(math, i), gate(math, candidate, activation)));
      return [math.mul(gate(math, o), gate(math, cell, activation)), cell];
    };
  },
});

/**
 * Long short-term memory (Hochreiter and Schmidhuber, 1997; with a forget gate, Gers et al., 2000):
 * `c = f * c + i * activation(...)`, `h = o * activation(c)`, the gates i, f, o by `recurrentActivation`.
 *
 * - Shapes: x [batch, steps, features] → [batch, units], or [batch, steps, units] with `returnSequences`; kernel
 *   [features, 4 units], recurrent_kernel [units, 4 units], bias [4 units], the gates in Keras' order i, f, c, o. Two
 *   further inputs are the first states h and c, [batch, units] each; `returnState` gives the last ones.
 * - Defaults: `activation` tanh, `recurrentActivation` sigmoid, `useBias` and `unitForgetBias` true (the forget gate's bias
 *   starts at 1), `kernelInitializer` glorotUniform, `recurrentInitializer` orthogonal, `biasInitializer` zeros.
 * - Modes: `dropout` and `recurrentDropout` drop only while training, the same elements in all steps and gates of a sample.
 * - Masks: a masked step is skipped, and answers as the step before it.
 * - ONNX: one Gemm for all steps, then Scan over one Gemm and the gates.
 */
export const lstm = (units: number, options: LstmOptions = {}): Layer => lstmKind.make({ units, ...options });
