/** @file Resizing of older operator sets: pixels lie at their corners, and the nearest is the one before. */
import type { Attributes, Value } from "../graph/graph.ts";
import { tensor } from "../tensor.ts";
import { attributeOf, textOf } from "./attributes.ts";
import type { OldNode, Step, Workbench } from "./step.ts";

const modes = new Map([
  ["nearest", "nearest"],
  ["linear", "linear"],
  ["bilinear", "linear"],
]);

/** Attributes of a Resize that does what the older operators did. Where sizes shrink, the nearest was the one behind. */
function byCorners(node: OldNode, bench: Workbench, scales: Value | undefined): Attributes {
  const name = textOf(node, bench, "mode") ?? "nearest";
  const mode = modes.get(name);
  if (mode === undefined) return bench.refuse(`mode "${name}" is not supported`);
  const factors = bench.constantOf(scales)?.data ?? [];
  const shrinks = Array.from(factors, Number).some((factor) => factor < 1);
  return { mode, coordinate_transformation_mode: "asymmetric", nearest_mode: shrinks ? "ceil" : "floor" };
}

/** Resize of opset 10: inputs x and scales. */
export const resize10: Step = (node, bench) => {
  const [x, scales] = node.inputs;
  return { ...node, inputs: [x, undefined, scales], attributes: byCorners(node, bench, scales) };
};

/** Roundings of a place v that are roundings of v - 0.5. */
const halfBefore = new Map([
  ["floor", "round_prefer_ceil"],
  ["round_prefer_floor", "ceil"],
]);

/** Pixels at v = (x + 0.5) / scale, a way that left in opset 13; half pixels lie at v - 0.5. */
export const wholePixel: Step = (node, bench) => {
  if (textOf(node, bench, "coordinate_transformation_mode") !== "tf_half_pixel_for_nn") return node;
  const mode = textOf(node, bench, "mode") ?? "nearest";
  const rounding = textOf(node, bench, "nearest_mode") ?? "round_prefer_floor";
  const nearest_mode = mode === "nearest" ? halfBefore.get(rounding) : undefined;
  if (nearest_mode === undefined)
    return bench.refuse(`tf_half_pixel_for_nn with mode "${mode}" and nearest_mode "${rounding}"`);
  return { ...node, attributes: { ...node.attributes, coordinate_transformation_mode: "half_pixel", nearest_mode } };
};

/** Upsample: replaced by Resize in opset 10; scales are an attribute before opset 9. */
export const upsample: Step = (node, bench) => {
  const listed = attributeOf(node, "scales");
  const floats = typeof listed === "object" && "floats" in listed ? listed.floats : undefined;
  const scales =
    floats === undefined
      ? node.inputs[1]
      : bench.constant("scales", tensor("float32", [floats.length], Float32Array.from(floats)));
  if (scales === undefined) return bench.refuse("it has no scales; export with opset 7 or newer");
  const attributes = byCorners(node, bench, scales);
  return { ...node, operator: "Resize", inputs: [node.inputs[0], undefined, scales], attributes };
};
