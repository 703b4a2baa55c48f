import { ShapeError } from "@gristmill/onnx";
import { type ActivationOption, activationField } from "../../activations/field.ts";
import { type InitializerOption, initializerField } from "../../initializers/field.ts";
import { size } from "../../schema/field.ts";
import { denseKind } from "../core/dense.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { multiply } from "../merge/multiply.ts";
import { defineComposite } from "../network-layer.ts";
import { knownSize } from "../shape.ts";

/** The table's entry of `swiGlu`. */
export const swiGluKind = defineComposite({
  type: "swiGlu",
  fields: {
    intermediateDim: size(),
    activation: activationField("silu"),
    kernelInitializer: initializerField("glorotUniform"),
  },
  checkShapes(_, [input = []], where) {
    if (input.length === 0)
      throw new ShapeError(where, "expected samples of at least one axis, received single numbers");
    knownSize(input, -1, where);
  },
  compose({ intermediateDim, activation, kernelInitializer }, [x]) {
    if (x === undefined) throw new Error("swiGlu: composed without an input");
    const more = { useBias: false, kernelInitializer };
    const gate = denseKind.make({ ...more, units: intermediateDim, activation, name: "gate" }).apply(x);
    const up = denseKind.make({ ...more, units: intermediateDim, name: "up" }).apply(x);
    const gated = multiply({ name: "gated" }).apply([gate, up]);
    return denseKind.make({ ...more, units: x.shape.at(-1) ?? 1, name: "down" }).apply(gated);
  },
});

/** Settings of `swiGlu`. */
export interface SwiGluOptions extends CommonOptions {
  /** Of the gate. */
  readonly activation?: ActivationOption;
  readonly kernelInitializer?: InitializerOption;
}

/**
 * A feed-forward part whose inner numbers are gated: `down(silu(gate(x)) * up(x))`, without biases.
 *
 * - Shapes: x [batch, ..., width] → y the same; gate/kernel and up/kernel [width, intermediateDim], down/kernel
 *   [intermediateDim, width].
 * - Defaults: `activation` silu, `kernelInitializer` glorotUniform. Masks: handed on.
 * - Source: Shazeer 2020, arXiv:2002.05202.
 */
export const swiGlu = (intermediateDim: number, options: SwiGluOptions = {}): Layer =>
  swiGluKind.make({ intermediateDim, ...options });
