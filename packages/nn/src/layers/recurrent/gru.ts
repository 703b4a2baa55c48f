import type { Value } from "@gristmill/onnx";
import { activate, activationField } from "../../activations/field.ts";
import { linearMap } from "../../graph/linear-map.ts";
import { flag } from "../../schema/field.ts";
import { plain } from "../features.ts";
import type { Layer, LayerScope } from "../layer.ts";
import type { CellStep } from "./cell.ts";
import { defineRecurrent } from "./define-recurrent.ts";
import { dropFactors, dropped } from "./drop.ts";
import { gateParameters, type RecurrentOptions, weightFields } from "./settings.ts";

/** Settings of `gru` beside its units. */
export interface GruOptions extends RecurrentOptions {
  readonly recurrentActivation?: RecurrentOptions["activation"];
  readonly resetAfter?: boolean;
}

/** The table's entry of `gru`. */
export const gruKind = defineRecurrent({
  type: "gru",
  fields: { ...weightFields, recurrentActivation: activationField("sigmoid"), resetAfter: flag(true) },
  states: ({ units }) => [{ name: "h", size: units }],
  parameters: (config, features) =>
    gateParameters(config, features, 3, config.resetAfter ? { shape: [2, 3 * config.units] } : {}),
  project({ useBias, dropout, resetAfter }, scope, x) {
    const factors = dropFactors(scope, "dropout", dropout, x, Number(x.shape.at(-1)));
    const bias = useBias ? (resetAfter ? biasRows(scope)[0] : scope.weight("bias")) : undefined;
    return linearMap(scope.math, dropped(scope.math, x, factors), scope.weight("kernel"), bias);
  },
  step(config, scope, x) {
    const { units, activation, recurrentActivation, recurrentDropout } = config;
    const factors = dropFactors(scope, "recurrentDropout", recurrentDropout, x, units);
    const recurrent = config.resetAfter ? resetAfterwards(config, scope) : resetBefore(config, scope);
    return (math, [h], entering) => {
      if (h === undefined) throw new Error("gru: expected a state");
      const [xGates, xCandidate] = math.builder.ops(
        "Split",
        [entering, math.builder.ints(2 * units, units)],
        { axis: 1 },
        2,
      );
      const { gates, candidate } = recurrent(math, dropped(math, h, factors));
      // split before the activation: one such as softmax is each gate's own
      const [z, r] = math.builder
        .ops("Split", [math.add(one(xGates), gates)], { axis: 1, num_outputs: 2 }, 2)
        .map((sum) => activate(math, recurrentActivation, plain(sum, [units])).value);
      const next = activate(math, activation, plain(math.add(one(xCandidate), candidate(one(r))), [units])).value;
      // z h + (1 - z) next, with one product less
      return [math.add(next, math.mul(one(z), math.sub(h, next)))];
    };
  },
});

/** What the state adds to the gates z and r, and to the candidate once r is known. */
type Recurrent = (
  math: Parameters<CellStep>[0],
  h: Value,
) => { readonly gates: Value; readonly candidate: (r: Value) => Value };

type GateConfig = { readonly units: number; readonly useBias: boolean };

/** The reset gate on the state's product: one product for all gates. */
function resetAfterwards({ units, useBias }: GateConfig, scope: LayerScope): Recurrent {
  const kernel = scope.weight("recurrent_kernel");
  const bias = useBias ? biasRows(scope)[1] : undefined;
  return (math, h) => {
    const product = math.builder.op("Gemm", bias === undefined ? [h, kernel] : [h, kernel, bias]);
    const [gates, last] = math.builder.ops("Split", [product, math.builder.ints(2 * units, units)], { axis: 1 }, 2);
    return { gates: one(gates), candidate: (r) => math.mul(r, one(last)) };
  };
}

/** The reset gate on the state, before its product with the candidate's part of the kernel. */
function resetBefore({ units }: GateConfig, scope: LayerScope): Recurrent {
  const { math: outer } = scope;
  const parts = [scope.weight("recurrent_kernel"), outer.builder.ints(2 * units, units)];
  const [forGates, forCandidate] = outer.builder.ops("Split", parts, { axis: 1 }, 2);
  return (math, h) => ({
    gates: math.product(h, one(forGates)),
    candidate: (r) => math.product(math.mul(r, h), one(forCandidate)),
  });
}

/** Bias of the input and of the state, [1, 3 units] each. */
const biasRows = (scope: LayerScope): readonly Value[] =>
  scope.math.builder.ops("Split", [scope.weight("bias")], { axis: 0, num_outputs: 2 }, 2);

function one(value: Value | undefined): Value {
  if (value === undefined) throw new Error("gru: Split made too few parts");
  return value;
}

/**
 * Gated recurrent unit (Cho et al., 2014): `h = z * h + (1 - z) * activation(...)`, the gates z and r by
 * `recurrentActivation`.
 *
 * - Shapes: x [batch, steps, features] → [batch, units], or [batch, steps, units] with `returnSequences`; kernel
 *   [features, 3 units], recurrent_kernel [units, 3 units], the gates in Keras' order z, r, h; bias [2, 3 units], that of
 *   the input and that of the state, or [3 units] with `resetAfter` false. A second input is the first state.
 * - Defaults: `activation` tanh, `recurrentActivation` sigmoid, `useBias` and `resetAfter` true (the reset gate on the state's
 *   product, as cuDNN has it; false: on the state), initializers as `lstm`.
 * - Modes: `dropout` and `recurrentDropout` drop only while training, the same elements in all steps and gates of a sample;
 *   the state that is kept by z is not dropped.
 * - Masks: a masked step is skipped, and answers as the step before it.
 * - ONNX: one Gemm for all steps, then Scan over one Gemm (two with `resetAfter` false) and the gates.
 */
export const gru = (units: number, options: GruOptions = {}): Layer => gruKind.make({ units, ...options });
