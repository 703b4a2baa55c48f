/** @file Weights with an axis for some axes of a sample, kept so that they broadcast over features as those are kept. */
import type { Features } from "../features.ts";
import type { Storage } from "../storage.ts";
import { keptAxis } from "./axis.ts";

/**
 * How to keep a weight with one size for each of `axes` of a sample (from 0, rising), as Keras has it: [sizes of the
 * axes]. Kept it has the rank of the features without the batch, with 1 on the other axes: nothing is copied to use it.
 */
export function besideFeatures(features: Features, axes: readonly number[]): Storage {
  const { shape, layout } = features;
  const rank = shape.length;
  const sizeOf = (axis: number): number => shape[axis] ?? 1;
  const view = axes.map(sizeOf);
  const kept = axes.map((axis) => keptAxis(layout, axis, rank) - 1);
  const order = axes.map((_, i) => i).sort((a, b) => (kept[a] ?? 0) - (kept[b] ?? 0));
  const stored = Array.from({ length: rank }, (_, place) => {
    const at = kept.indexOf(place);
    return at < 0 ? 1 : (view[at] ?? 1);
  });
  // leading ones broadcast by themselves, and the runtime multiplies by a plain vector faster
  const first = stored.findIndex((size) => size !== 1);
  return { view, order, stored: stored.slice(Math.max(0, first)) };
}
