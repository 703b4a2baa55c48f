/** @file Layers made of layers: a network behind one name. Transformer blocks and sub-models are such. */
import { type NetworkPlan, planNetwork } from "../compile/network-plan.ts";
import { writeCalls } from "../compile/write-calls.ts";
import { type Network, traceNetwork } from "../network/network.ts";
import { input, type SymbolicTensor } from "../network/symbolic.ts";
import type { ConfigOf, Fields } from "../schema/field.ts";
import { Problems } from "../schema/problems.ts";
import { type DefinedLayer, defineManyLayer } from "./define-layer.ts";
import { type Features, toPlain } from "./features.ts";
import type { LayerScope, Parameter } from "./layer.ts";
import type { SampleShape } from "./shape.ts";

/** A layer that is written with other layers. Its parameters are "part/kernel", by the names of its parts. */
export interface CompositeDefinition<F extends Fields> {
  readonly type: string;
  readonly fields: F;
  /** Least and most inputs; one when left out. */
  readonly inputs?: readonly [number, number];
  readonly inputDtype?: "float32" | "int32";
  /** Settings that are each right and together wrong. */
  check?(config: ConfigOf<F>, where: string, problems: Problems): void;
  /** Refuses shapes that make no sense here, before the parts see them. @throws ShapeError */
  checkShapes?(config: ConfigOf<F>, inputs: readonly SampleShape[], where: string): void;
  /**
   * Applies the parts. Called once for each new shape; give every part a name (`dense(8, { name: "up" })`), so that weights
   * keep their places. Masks go through the parts as in a model.
   */
  compose(config: ConfigOf<F>, inputs: readonly SymbolicTensor[]): SymbolicTensor | readonly SymbolicTensor[];
}

/** A network for inputs of these shapes. */
type NetworkFor<C> = (config: C, inputs: readonly SampleShape[], where: string) => Network;

/** Defines a layer by the layers that it is made of. */
export function defineComposite<F extends Fields>(definition: CompositeDefinition<F>): DefinedLayer {
  const { compose, checkShapes, inputDtype, ...common } = definition;
  return defineNetworkLayer<F>({
    ...common,
    ...(inputDtype === undefined ? {} : { inputDtype }),
    network(config, shapes, where) {
      checkShapes?.(config, shapes, where);
      const entering = shapes.map((shape, i) =>
        input({ shape, name: `input_${i + 1}`, ...(inputDtype === undefined ? {} : { dtype: inputDtype }) }),
      );
      const leaving = compose(config, entering);
      return traceNetwork(entering, "shape" in leaving ? [leaving] : leaving);
    },
  });
}

/** Defines a layer by the network that it is. */
export function defineNetworkLayer<F extends Fields>({
  network,
  inputs = [1, 1],
  ...common
}: Omit<CompositeDefinition<F>, "compose" | "checkShapes"> & {
  readonly network: NetworkFor<ConfigOf<F>>;
}): DefinedLayer {
  // shapes are asked for several times, and parts may be composed themselves: without a memory the work would double at each level
  const plans = new WeakMap<object, Map<string, NetworkPlan>>();
  const planOf = (config: ConfigOf<F>, shapes: readonly SampleShape[], where: string): NetworkPlan => {
    const known = plans.get(config) ?? new Map<string, NetworkPlan>();
    plans.set(config, known);
    const key = JSON.stringify(shapes);
    const found = known.get(key) ?? planParts(network(config, shapes, where), shapes, where);
    known.set(key, found);
    return found;
  };
  return defineManyLayer<F>({
    ...common,
    inputs,
    outputShapes: (config, shapes, where) => planOf(config, shapes, where).outputs.map(({ shape }) => shape),
    parameters: (config, shapes) => parametersOf(planOf(config, shapes, common.type)),
    build(config, scope: LayerScope, features: readonly Features[]) {
      const plan = planOf(
        config,
        features.map(({ shape }) => shape),
        scope.path,
      );
      // a part may be given the same value as another: both see it as outside
      return writeCalls(
        plan,
        scope,
        features.map((one) => (plan.inputs.length > 1 ? toPlain(scope.math, one) : one)),
      );
    },
  });
}

function planParts(network: Network, shapes: readonly SampleShape[], where: string): NetworkPlan {
  const problems = new Problems();
  const plan = planNetwork(network, shapes, problems, where);
  problems.throwIfAny();
  return plan;
}

/** Parameters of all parts, each part once. */
function parametersOf(plan: NetworkPlan): readonly Parameter[] {
  const parts = new Map(plan.calls.map(({ name, parameters }) => [name, parameters]));
  return [...parts].flatMap(([part, parameters]) =>
    parameters.map((parameter) => ({ ...parameter, name: `${part}/${parameter.name}` })),
  );
}
