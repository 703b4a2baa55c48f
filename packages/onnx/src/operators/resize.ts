/** @file Resize: another number of positions on each axis. */
import { multiplyDims } from "../dim.ts";
import { type Dim, formatShape } from "../shape.ts";
import { optional, preset } from "./attribute.ts";
import { type Call, operator } from "./operator.ts";
import { axesOf, numeric, take } from "./rules.ts";

/** A named size times a scale stays named only for whole scales. */
function scaled(call: Call, axis: number, size: Dim, scale: number): Dim {
  if (typeof size === "number") return Math.floor(size * scale);
  return Number.isInteger(scale) ? multiplyDims(size, scale) : call.fresh(`axis${axis}`);
}

/** Values drawn larger or smaller. */
export const resizing = {
  /** Inputs: x, region of interest, scales (float32) or sizes (int64), for all axes or those of attribute `axes`. */
  Resize: operator({
    since: 19,
    inputs: [1, 4],
    outputs: [1, 1],
    attributes: {
      antialias: preset("int", 0),
      axes: optional("ints"),
      coordinate_transformation_mode: preset("string", "half_pixel"),
      cubic_coeff_a: preset("float", -0.75),
      exclude_outside: preset("int", 0),
      extrapolation_value: preset("float", 0),
      keep_aspect_ratio_policy: preset("string", "stretch"),
      mode: preset("string", "nearest"),
      nearest_mode: preset("string", "round_prefer_floor"),
    },
    infer: (call) => {
      const x = take(call, 0, numeric);
      const axes = axesOf(call, call.attributes.axes ?? x.shape.map((_, i) => i), x.shape.length);
      const bySize = call.inputs[3] !== undefined;
      if (bySize === (call.inputs[2] !== undefined && call.constant(2)?.data.length !== 0))
        throw call.shapeError("either scales (input 2) or sizes (input 3)", bySize ? "both" : "neither");
      const factors = bySize ? call.contents(3) : call.constant(2)?.data;
      if (bySize) take(call, 3, ["int64"]);
      else take(call, 2, ["float32"]);
      const onlyAtRun = factors === undefined || (bySize && call.attributes.keep_aspect_ratio_policy !== "stretch");
      if (!onlyAtRun && factors.length !== axes.length)
        throw call.shapeError(`${axes.length} ${bySize ? "sizes" : "scales"}`, formatShape([factors.length]));
      const shape = x.shape.map((size, i): Dim => {
        const at = axes.indexOf(i);
        if (at < 0) return size;
        if (onlyAtRun) return call.fresh(`axis${i}`);
        const factor = factors[at] ?? 1;
        if (!bySize) return scaled(call, i, size, Number(factor));
        return typeof factor === "string" ? factor : Number(factor);
      });
      return [{ dtype: x.dtype, shape }];
    },
  }),
};
