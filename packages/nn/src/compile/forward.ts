/** @file Writes the layers of a network into a graph. Training, evaluation and export all come from here. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import { type Features, plain, toPlain } from "../layers/features.ts";
import type { LayerScope } from "../layers/layer.ts";
import { relay, type Storage } from "../layers/storage.ts";
import type { Prediction } from "../losses/loss.ts";
import type { NetworkPlan } from "./network-plan.ts";
import { given, writeCalls } from "./write-calls.ts";

/** Where parameters and randomness come from, and where updates go. */
export interface ForwardSource {
  readonly training: boolean;
  /** The parameter of this id and how it is kept; asked once for each, with the storage that its first reader wants. */
  weight(id: string, storage: Storage): { readonly value: Value; readonly storage: Storage };
  /** A uint32 scalar for this place. */
  randomKey(place: string): Value;
  /** What a statistic or state is after this run, as kept. */
  update(id: string, next: Value): void;
  addLoss(loss: Value): void;
}

/** [batch, ...] each in, features as outside out, in the order of the plan's outputs. Nodes are named by their layer. */
export function writeForward(
  plan: NetworkPlan,
  math: GraphMath,
  inputs: readonly Value[],
  source: ForwardSource,
): Features[] {
  const entering = plan.inputs.map(({ name, shape }, i) => plain(given(inputs[i], name), shape));
  const root = rootScope(math, source);
  return writeCalls(plan, root, entering).map((features) => toPlain(math, features));
}

function rootScope(math: GraphMath, source: ForwardSource): LayerScope {
  const weights = new Map<string, { readonly value: Value; readonly storage: Storage }>();
  const at = (path: string, trainable: boolean): LayerScope => {
    const idOf = (name: string): string => (path === "" ? name : `${path}/${name}`);
    return {
      math,
      path,
      training: source.training,
      trainable,
      weight(name, storage) {
        const id = idOf(name);
        if (storage === undefined) throw new Error(`${id}: asked for without its shape`);
        const known = weights.get(id) ?? source.weight(id, storage);
        weights.set(id, known);
        return relay(math, known.value, known.storage, storage);
      },
      update: (name, next) => source.update(idOf(name), next),
      addLoss: (loss) => source.addLoss(loss),
      randomKey: (purpose = "") => source.randomKey(purpose === "" ? path : `${path}:${purpose}`),
      inside: (part, isTrainable = true) => at(idOf(part), trainable && isTrainable),
    };
  };
  return at("", true);
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
