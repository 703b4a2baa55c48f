/** @file Broadcasting before opset 7: only on request, and aligned at an axis that the node names. */
import { intList, intOf, rankOf, without } from "./attributes.ts";
import type { Step } from "./step.ts";

/** The second operand gets the axes behind it as axes of size 1, so that it lies where attribute `axis` puts it. */
export const limitedBroadcast: Step = (node, bench) => {
  const axis = intOf(node, bench, "axis");
  const plain = { ...node, attributes: without(node.attributes, "axis", "broadcast") };
  const [a, b] = node.inputs;
  if (intOf(node, bench, "broadcast") !== 1 || axis === undefined || b === undefined) return plain;
  const [rank, own] = [rankOf(node, bench, 0), rankOf(node, bench, 1)];
  const first = axis < 0 ? axis + rank : axis;
  const behind = rank - own - first;
  if (first < 0 || behind < 0) return bench.refuse(`axis ${axis} leaves no room for the ${own} axes of "${b.name}"`);
  if (behind === 0) return plain;
  const axes = Array.from({ length: behind }, (_, i) => own + i);
  return { ...plain, inputs: [a, bench.insert("Unsqueeze", [b, intList(bench, "axes", axes)])] };
};

/** Before opset 7 a list of slopes lies along axis 1 by itself. */
export const slopeByChannel: Step = (node, bench) => {
  const [x, slope] = node.inputs;
  const rank = rankOf(node, bench, 0);
  if (slope === undefined || rankOf(node, bench, 1) !== 1 || slope.shape[0] === 1 || rank <= 2) return node;
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 1);
  return { ...node, inputs: [x, bench.insert("Unsqueeze", [slope, intList(bench, "axes", axes)])] };
};
