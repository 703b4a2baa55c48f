import { activate } from "../../activations/field.ts";
import { linearMap } from "../../graph/linear-map.ts";
import { plain } from "../features.ts";
import type { Layer } from "../layer.ts";
import { defineRecurrent } from "./define-recurrent.ts";
import { dropFactors, dropped } from "./drop.ts";
import { gateParameters, type RecurrentOptions, weightFields } from "./settings.ts";

/** The table's entry of `simpleRnn`. */
export const simpleRnnKind = defineRecurrent({
  type: "simpleRnn",
  fields: weightFields,
  states: ({ units }) => [{ name: "h", size: units }],
  parameters: (config, features) => gateParameters(config, features, 1),
  project({ useBias, dropout }, scope, x) {
    const factors = dropFactors(scope, "dropout", dropout, x, Number(x.shape.at(-1)));
    const bias = useBias ? scope.weight("bias") : undefined;
    return linearMap(scope.math, dropped(scope.math, x, factors), scope.weight("kernel"), bias);
  },
  step({ units, activation, recurrentDropout }, scope, x) {
    const kernel = scope.weight("recurrent_kernel");
    const factors = dropFactors(scope, "recurrentDropout", recurrentDropout, x, units);
    return (math, [h], entering) => {
      const sum = math.builder.op("Gemm", [h && dropped(math, h, factors), kernel, entering]);
      return [activate(math, activation, plain(sum, [units])).value];
    };
  },
});

/**
 * Fully connected recurrence: `h = activation(x · kernel + h · recurrent_kernel + bias)`.
 *
 * - Shapes: x [batch, steps, features] → [batch, units], or [batch, steps, units] with `returnSequences`; kernel
 *   [features, units], recurrent_kernel [units, units], bias [units]. A second input is the first state [batch, units].
 * - Defaults: `activation` tanh, `useBias` true, `kernelInitializer` glorotUniform, `recurrentInitializer` orthogonal,
 *   `biasInitializer` zeros, no dropout. `stateful` needs `batchSize`.
 * - Masks: a masked step is skipped, and answers as the step before it.
 * - ONNX: one Gemm for all steps, then Scan over Gemm and the activation.
 */
export const simpleRnn = (units: number, options: RecurrentOptions = {}): Layer =>
  simpleRnnKind.make({ units, ...options });
