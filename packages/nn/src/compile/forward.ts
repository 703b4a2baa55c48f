/** @file Writes the layers of a model, one after the other, into a graph. Training, evaluation and export all come from here. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { plain, toPlain } from "../layers/features.ts";
import type { Layer, Parameter } from "../layers/layer.ts";
import { asShown, type Storage } from "../layers/storage.ts";
import type { Prediction } from "../losses/loss.ts";

/** A layer in its place. */
export interface PlannedLayer {
  readonly layer: Layer;
  readonly name: string;
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly parameters: readonly Parameter[];
}

/** Layers in their order, and the sizes of one sample. */
export interface LayerSequence {
  readonly layers: readonly PlannedLayer[];
  readonly inputShape: readonly number[];
}

/** Where weights and randomness come from. */
export interface ForwardSource {
  readonly training: boolean;
  weight(id: string, storage: Storage): Value;
  /** A uint32 scalar for the layer of this name. */
  randomKey(layer: string): Value;
}

/** [batch, ...] in, [batch, ...] out, both as outside. Nodes are named by their layer. */
export function writeForward(plan: LayerSequence, math: GraphMath, input: Value, source: ForwardSource): Value {
  let features = plain(input, plan.inputShape);
  for (const { layer, name, parameters } of plan.layers)
    features = math.builder.within(name, () =>
      layer.build(
        {
          math,
          training: source.training,
          weight(parameter, storage) {
            const declared = parameters.find((one) => one.name === parameter);
            if (declared === undefined)
              throw new Error(`${name}: the layer reads weight "${parameter}" and does not declare it`);
            return source.weight(`${name}/${parameter}`, storage ?? asShown(declared.shape));
          },
          randomKey: () => source.randomKey(name),
        },
        features,
      ),
    );
  return toPlain(math, features).value;
}

/** What a last softmax or sigmoid started from: losses are stable there. */
export function logitsOf(math: GraphMath, output: Value): Prediction["logits"] {
  const maker = math.builder.nodes.findLast((node) => node.outputs[0] === output);
  const value = maker?.inputs[0];
  if (maker === undefined || value === undefined) return undefined;
  if (maker.operator === "Sigmoid") return { activation: "sigmoid", value };
  const axis = maker.attributes["axis"];
  const isLast = axis === undefined || axis === -1 || axis === output.shape.length - 1;
  return maker.operator === "Softmax" && isLast ? { activation: "softmax", value } : undefined;
}
