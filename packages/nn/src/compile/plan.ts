/** @file A model's plan: every layer with its name and shapes, every weight with its place. Pure: nothing runs, nothing is allocated. */
import { GraphBuilder, ShapeError } from "@gristmill/onnx";
import { NnError } from "../errors.ts";
import { GraphMath } from "../graph/graph-math.ts";
import type { Parameter } from "../layers/layer.ts";
import type { SampleShape } from "../layers/shape.ts";
import type { Storage } from "../layers/storage.ts";
import type { Network, NetworkInput } from "../network/network.ts";
import type { Optimizer, SlotSpec } from "../optimizers/optimizer.ts";
import { Problems } from "../schema/problems.ts";
import { writeForward } from "./forward.ts";
import { addShapeProblem, type NetworkPlan, planNetwork } from "./network-plan.ts";

/** A weight in its place. */
export interface PlannedWeight {
  /** "conv2d_1/kernel" */
  readonly id: string;
  readonly parameter: Parameter;
  readonly storage: Storage;
  /** True when the optimizer moves it. */
  readonly trainable: boolean;
}

/** A model whose shapes fit. */
export interface Plan extends NetworkPlan {
  /** In Keras' order: layer by layer, kernel before bias. */
  readonly weights: readonly PlannedWeight[];
}

/** Names the inputs of a symbolic size. */
export const dimsOf = ({ name, shape }: NetworkInput): (number | string)[] =>
  shape.map((size, axis) => size ?? `${name}.${axis + 1}`);

/**
 * Plans a network, with sizes of its inputs in place of the declared ones where they are given.
 * @throws SpecError when shapes do not fit, naming the layer.
 */
export function planModel(network: Network, shapes?: readonly SampleShape[]): Plan {
  const problems = new Problems();
  const plan = planNetwork(network, shapes ?? network.inputs.map(({ shape }) => shape), problems);
  problems.throwIfAny();
  return { ...plan, weights: planWeights(plan, problems) };
}

/** Writes the forward graph once, only to hear how each layer wants its weights kept, and that masks have a reader. */
function planWeights(plan: NetworkPlan, problems: Problems): PlannedWeight[] {
  const builder = new GraphBuilder("plan");
  const storages = new Map<string, Storage>();
  try {
    writeForward(
      plan,
      new GraphMath(builder),
      plan.inputs.map((one) => builder.input(`x/${one.name}`, one.dtype, ["batch", ...dimsOf(one)])),
      {
        training: false,
        weight: (id, storage) => {
          storages.set(id, storage);
          return { value: builder.input(`state/${id}`, "float32", storage.stored), storage };
        },
        randomKey: (place) => builder.input(`random/${place}`, "uint32", []),
        update: () => {},
        addLoss: () => {},
      },
    );
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    addShapeProblem(error, problems);
  }
  problems.throwIfAny();
  const seen = new Set<string>();
  return plan.calls.flatMap(({ name, parameters }) => {
    if (seen.has(name)) return [];
    seen.add(name);
    return parameters.map((parameter): PlannedWeight => {
      const id = `${name}/${parameter.name}`;
      const storage = storages.get(id);
      if (storage === undefined) throw new NnError(`${id}: the layer declares this weight and never reads it`);
      const trainable = (parameter.role ?? "weight") === "weight" && parameter.frozen !== true;
      return { id, parameter, storage, trainable };
    });
  });
}

/** Name of what the optimizer remembers of a weight. */
export const slotId = (weight: string, slot: string): string => `${weight}:${slot}`;

/** A float32 tensor that goes from step to step. */
export interface StateTensor {
  /** As kept. */
  readonly shape: readonly number[];
  /** The weight that it is, or that it belongs to. */
  readonly weight: PlannedWeight;
  /** What the optimizer remembers, where it is that. */
  readonly slot: SlotSpec | undefined;
}

/** Every tensor that goes from step to step by its id: each weight, then what the optimizer remembers of it. */
export const stateOf = (
  plan: Plan,
  optimizer: Pick<Optimizer, "slots"> | undefined,
): ReadonlyMap<string, StateTensor> =>
  new Map(
    plan.weights.flatMap((weight): [string, StateTensor][] => {
      const slots = weight.trainable && optimizer !== undefined ? optimizer.slots(weight.storage.stored) : [];
      return [
        [weight.id, { shape: weight.storage.stored, weight, slot: undefined }],
        ...slots.map((slot): [string, StateTensor] => [
          slotId(weight.id, slot.name),
          { shape: slot.shape, weight, slot },
        ]),
      ];
    }),
  );
