import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { defineManyLayer } from "../define-layer.ts";
import { type Features, plain, toPlain } from "../features.ts";
import type { CommonOptions, Layer } from "../layer.ts";
import { layerField, layerFrom } from "../layer-field.ts";
import { formatSample, knownShape, type SampleShape } from "../shape.ts";

/** Sizes of one step. @throws ShapeError */
function stepShape(input: SampleShape | undefined, where: string): SampleShape {
  if (input === undefined || input.length < 2)
    throw new ShapeError(
      where,
      `expected samples of [steps, ...] with at least one axis behind the steps, received ${formatSample(input ?? [])}`,
    );
  return input.slice(1);
}

/** The table's entry of `timeDistributed`. */
export const timeDistributedKind = defineManyLayer({
  type: "timeDistributed",
  fields: { layer: layerField() },
  inputs: [1, 1],
  outputShapes({ layer }, [input], where) {
    const made = layerFrom(layer).outputShapes([knownShape(stepShape(input, where), where)], where);
    return made.map((shape) => [input?.[0] ?? null, ...knownShape(shape, where)]);
  },
  parameters({ layer }, [input]) {
    const inner = layerFrom(layer);
    const parameters = inner.parameters([stepShape(input, "timeDistributed")]);
    return inner.trainable ? parameters : parameters.map((parameter) => ({ ...parameter, frozen: true }));
  },
  build({ layer }, scope, [input]) {
    if (input === undefined) throw new Error(`${scope.path}: built without an input`);
    const { math } = scope;
    const { value, shape, mask } = toPlain(math, input);
    const step = knownShape(stepShape(shape, scope.path), scope.path);
    const samples = plain(math.reshape(value, [-1, ...step]), step); // [batch * steps, ...]
    return layerFrom(layer)
      .build(scope, [samples])
      .map((made): Features => {
        const answer = toPlain(math, made);
        const sizes = knownShape(answer.shape, scope.path);
        return plain(unfold(math, answer.value, value, sizes), [shape[0] ?? null, ...sizes], mask);
      });
  },
});

/** [batch * steps, ...] as [batch, steps, ...], with batch and steps of another value. */
function unfold(math: GraphMath, folded: Value, like: Value, sizes: readonly number[]): Value {
  const [, steps] = like.shape;
  if (typeof steps === "number") return math.reshape(folded, [-1, steps, ...sizes]);
  const { builder } = math;
  const lead = math.slice(builder.op("Shape", [like]), [0], [0], [2]);
  return builder.op("Reshape", [folded, math.concat([lead, builder.ints(...sizes)], 0)]);
}

/**
 * One layer on every step of a sequence, with the same weights: steps are samples to it.
 *
 * - Shapes: x [batch, steps, ...] → [batch, steps, ...] with the sizes that the layer makes of one step. Weights are the layer's.
 * - Masks: they pass; the layer itself sees every step.
 * - ONNX: a Reshape before and behind; no loop.
 */
export const timeDistributed = (layer: Layer, options: CommonOptions = {}): Layer =>
  timeDistributedKind.make({ layer, ...options });
