/** @file Weights between the order people see and the order graphs read; and their first values. */
import { type Tensor, tensor } from "@gristmill/onnx";
import { type Plan, stateOf } from "../compile/plan.ts";
import { DataError } from "../errors.ts";
import { countOf } from "../initializers/initializer.ts";
import { initializers } from "../initializers/table.ts";
import { asShown, type Storage, show, store } from "../layers/storage.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { keyOf } from "../random/hash.ts";
import { madeFrom } from "../schema/kind.ts";
import type { StateArrays } from "../training/state.ts";

/** A weight as people see it: Keras' shape and order. */
export interface NamedWeight {
  /** "conv2d_1/kernel" */
  readonly name: string;
  readonly value: Tensor<"float32">;
}

const purpose = 0x77; // keeps first values apart from other uses of the same seed

/** First values of all weights, as kept: those that a layer brings along, else each a function of (seed, its place in the model). */
export const initialWeights = (plan: Plan, seed: number): StateArrays => {
  const brought = broughtValues(plan);
  return new Map(
    plan.weights.map(({ id, parameter: { shape, initializer }, storage }, place) => {
      const first = brought.get(id) ?? madeFrom(initializers, initializer)(shape, keyOf(seed, purpose, place));
      return [id, store(first, storage)];
    }),
  );
};

/** What layers bring along, by the weight's id. */
const broughtValues = ({ calls }: Plan): ReadonlyMap<string, Float32Array> =>
  new Map(
    calls.flatMap(({ name, layer, parameters }) =>
      parameters.flatMap(({ name: parameter }): [string, Float32Array][] => {
        const values = layer.firstValue?.(parameter);
        return values === undefined ? [] : [[`${name}/${parameter}`, values]];
      }),
    ),
  );

/** What an optimizer remembers before the first step. */
export const initialSlots = (plan: Plan, optimizer: Optimizer, weights: StateArrays): StateArrays =>
  new Map(
    [...stateOf(plan, optimizer)].flatMap(([id, { shape, weight, slot }]) => {
      if (slot === undefined) return [];
      const first =
        slot.start === "weight"
          ? Float32Array.from(arrayOf(weights, weight.id))
          : new Float32Array(countOf(shape)).fill(slot.start);
      return [[id, first] as const];
    }),
  );

/** Every tensor of the state with its outside shape and its storage, in the order of files. */
export const statePlaces = (
  plan: Plan,
  optimizer: Optimizer | undefined,
): { readonly id: string; readonly shape: readonly number[]; readonly storage: Storage }[] =>
  [...stateOf(plan, optimizer)].map(([id, { shape, weight }]) =>
    // what has the weight's own sizes is turned with it
    shape.join() === weight.storage.stored.join()
      ? { id, shape: weight.parameter.shape, storage: weight.storage }
      : { id, shape, storage: asShown(shape) },
  );

/** Weights as people see them. */
export const shownWeights = (plan: Plan, state: StateArrays): NamedWeight[] =>
  plan.weights.map(({ id, parameter, storage }) => ({
    name: id,
    value: tensor("float32", parameter.shape, show(arrayOf(state, id), storage)),
  }));

/** @throws DataError unless each weight comes once, with its shape. */
export function keptWeights(plan: Plan, weights: readonly NamedWeight[]): StateArrays {
  const names = plan.weights.map(({ id }) => id);
  const given = new Set(weights.map(({ name }) => name));
  if (given.size !== weights.length || weights.length !== names.length || names.some((name) => !given.has(name)))
    throw new DataError(`weights: expected ${names.join(", ")}, received ${[...given].join(", ") || "none"}`);
  return someWeights(plan, weights);
}

/** Some of the weights, as kept. @throws DataError for names that the model does not have, and other shapes */
export const someWeights = (plan: Plan, weights: readonly NamedWeight[]): StateArrays =>
  new Map(
    weights.map(({ name, value }) => {
      const planned = plan.weights.find(({ id }) => id === name);
      if (planned === undefined)
        throw new DataError(
          `${name}: the model has no such weight; it has ${plan.weights.map(({ id }) => id).join(", ")}`,
        );
      const { shape } = planned.parameter;
      if (value.dtype !== "float32" || value.shape.join() !== shape.join() || value.data.length !== countOf(shape))
        throw new DataError(
          `${name}: expected float32 [${shape.join(", ")}], received ${value.dtype} [${value.shape.join(", ")}]`,
        );
      return [name, store(value.data, planned.storage)];
    }),
  );

/** An array of the state. */
export function arrayOf(state: StateArrays, id: string): Float32Array<ArrayBuffer> {
  const data = state.get(id);
  if (data === undefined) throw new Error(`${id}: the model has no such state`);
  return data;
}
