/** @file Gradients of the losses that ONNX has as operators, by writing them out. */
import type { Value } from "@gristmill/onnx";
import { sizesOf } from "../../graph/graph-math.ts";
import type { GradientCall, GradientTable } from "../rule.ts";
import { writtenOut } from "../written-out.ts";

type Call = GradientCall<"NegativeLogLikelihoodLoss"> | GradientCall<"SoftmaxCrossEntropyLoss">;

/** The loss of logarithms of probabilities [batch, classes, ...]: minus the one of each target, weighted, and reduced. */
function likelihood(call: Call, logarithms: Value): Value {
  const { math } = call;
  const { ignore_index: ignored, reduction } = call.settings;
  const target = call.input(1);
  const isCounted =
    ignored === undefined ? undefined : math.builder.op("Not", [math.equal(target, math.scalar(ignored, target))]);
  const places = isCounted === undefined ? target : math.where(isCounted, target, math.scalar(0, target));
  const [batch = 1, ...rest] = sizesOf(target);
  const column = math.reshape(places, [batch, 1, ...rest]);
  const picked = math.builder.op("GatherElements", [logarithms, column], { axis: 1 });
  const losses = math.neg(math.reshape(picked, [batch, ...rest])); // [batch, ...]
  const importance = call.node.inputs[2] === undefined ? undefined : math.builder.op("Gather", [call.input(2), places]);
  const counted = isCounted && math.cast(isCounted, losses.dtype);
  const weights = importance && counted ? math.mul(importance, counted) : (importance ?? counted);
  const weighted = weights === undefined ? losses : math.mul(losses, weights);
  const axes = losses.shape.map((_, axis) => axis);
  if (reduction === "none") return weighted;
  if (reduction === "sum") return math.sum(weighted, axes);
  return weights === undefined ? math.mean(losses, axes) : math.div(math.sum(weighted, axes), math.sum(weights, axes));
}

/** Rules of losses. */
export const lossRules = {
  NegativeLogLikelihoodLoss: writtenOut((call) => [likelihood(call, call.input(0))]),
  SoftmaxCrossEntropyLoss: writtenOut((call) => {
    const logarithms = call.math.builder.op("LogSoftmax", [call.input(0)], { axis: 1 });
    return [likelihood(call, logarithms), logarithms];
  }),
} satisfies Partial<GradientTable>;
