/**
 * @file A network: inputs, uses of layers in an order that can be computed, outputs. Values are numbered: the inputs
 * first, then the outputs of each use. Models, sub-models and composed layers are all networks.
 */
import { NnError } from "../errors.ts";
import type { Layer } from "../layers/layer.ts";
import type { SampleShape } from "../layers/shape.ts";
import type { InputDtype, InputSpec, LayerCall, SymbolicTensor } from "./symbolic.ts";

/** An input with its name. */
export interface NetworkInput {
  readonly name: string;
  readonly shape: SampleShape;
  readonly dtype: InputDtype;
}

/** One use of a layer. Uses of one layer have one name, and so the same weights. */
export interface NetworkCall {
  readonly layer: Layer;
  readonly name: string;
  /** Numbers of values. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** A network. */
export interface Network {
  readonly inputs: readonly NetworkInput[];
  readonly calls: readonly NetworkCall[];
  /** What leaves: "output" when it is the only one, else the name of the layer it comes from. */
  readonly outputs: readonly { readonly name: string; readonly value: number }[];
}

/** One use of a layer by the numbers of its values, before names are given. */
export interface UnnamedCall {
  readonly layer: Layer;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/**
 * Names everything: given names stay; the others are the type with a number, "dense_1", in the order of uses.
 * @throws NnError when two layers or inputs have one name.
 */
export function nameNetwork(
  inputs: readonly InputSpec[],
  calls: readonly UnnamedCall[],
  outputs: readonly number[],
): Network {
  const layers = [...new Set(calls.map(({ layer }) => layer))];
  const names = nameAll(layers.map(({ type, name }) => ({ type, name })));
  const nameOf = new Map(layers.map((layer, i) => [layer, names[i] ?? layer.type]));
  const inputNames =
    inputs.length === 1 ? [inputs[0]?.name ?? "input"] : nameAll(inputs.map(({ name }) => ({ type: "input", name })));
  const taken = inputNames.find((name) => names.includes(name));
  if (taken !== undefined)
    throw new NnError(
      `expected names of their own, an input and a layer are both named "${taken}"; rename one of them`,
    );
  const named = calls.map((call) => ({ ...call, name: nameOf.get(call.layer) ?? call.layer.type }));
  return {
    inputs: inputs.map(({ shape, dtype }, i) => ({ name: inputNames[i] ?? "input", shape, dtype })),
    calls: named,
    outputs: nameOutputs(outputs, named),
  };
}

function nameAll(things: readonly { readonly type: string; readonly name: string | undefined }[]): string[] {
  const given = new Set<string>();
  for (const { name } of things) {
    if (name === undefined) continue;
    if (given.has(name)) throw new NnError(`expected names of their own, received "${name}" twice; rename one of them`);
    given.add(name);
  }
  const counts = new Map<string, number>();
  return things.map(({ type, name }) => {
    if (name !== undefined) return name;
    for (;;) {
      const count = (counts.get(type) ?? 0) + 1;
      counts.set(type, count);
      if (!given.has(`${type}_${count}`)) return `${type}_${count}`;
    }
  });
}

function nameOutputs(outputs: readonly number[], calls: readonly NetworkCall[]): Network["outputs"] {
  const [only] = outputs;
  if (outputs.length === 1 && only !== undefined) return [{ name: "output", value: only }];
  const counts = new Map<string, number>();
  return outputs.map((value) => {
    const base = calls.find((call) => call.outputs.includes(value))?.name ?? "input";
    const count = (counts.get(base) ?? 0) + 1;
    counts.set(base, count);
    return { name: count === 1 ? base : `${base}_${count}`, value };
  });
}

/**
 * The network between symbolic tensors.
 * @throws NnError when an output depends on an input that is not listed, or an input that is listed leads nowhere.
 */
export function traceNetwork(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): Network {
  const specs = inputs.map((tensor) => {
    if (!("input" in tensor.from))
      throw new NnError("inputs: expected tensors made by input(), received a layer's output");
    return tensor.from.input;
  });
  const inputNumbers = new Map(specs.map((spec, i) => [spec, i]));
  if (inputNumbers.size < specs.length) throw new NnError("inputs: expected each input once");
  const callNumbers = new Map<LayerCall, readonly number[]>();
  const calls: UnnamedCall[] = [];
  const used = new Set<number>();
  let next = specs.length;

  const numberOf = ({ from }: SymbolicTensor): number => {
    if ("input" in from) {
      const number = inputNumbers.get(from.input);
      if (number === undefined)
        throw new NnError(
          `inputs: expected every input that the outputs depend on, "${from.input.name ?? "input"}" is not listed`,
        );
      used.add(number);
      return number;
    }
    return callNumbers.get(from.call)?.[from.output] ?? next;
  };
  for (const call of callsBehind(outputs)) {
    const entering = call.inputs.map(numberOf);
    const count = call.outputCount;
    const leaving = Array.from({ length: count }, (_, i) => next + i);
    next += count;
    callNumbers.set(call, leaving);
    calls.push({ layer: call.layer, inputs: entering, outputs: leaving });
  }
  const leaving = outputs.map(numberOf);
  const idle = specs.findIndex((_, i) => !used.has(i));
  if (idle >= 0)
    throw new NnError(`inputs: "${specs[idle]?.name ?? `number ${idle}`}" leads to no output; leave it out`);
  return nameNetwork(specs, calls, leaving);
}

/** Every use of a layer that the outputs depend on, each after those it needs. Walked without recursion: stacks are deep. */
function callsBehind(outputs: readonly SymbolicTensor[]): readonly LayerCall[] {
  const done = new Set<LayerCall>();
  const stack: LayerCall[] = [];
  const push = ({ from }: SymbolicTensor): void => {
    if ("call" in from && !done.has(from.call)) stack.push(from.call);
  };
  for (const output of outputs) {
    push(output);
    for (let call = stack.at(-1); call !== undefined; call = stack.at(-1)) {
      const waiting = call.inputs.filter(({ from }) => "call" in from && !done.has(from.call));
      if (waiting.length === 0) {
        stack.pop();
        done.add(call);
      } else for (const tensor of [...waiting].reverse()) push(tensor);
    }
  }
  return [...done];
}

/** Layers that follow one another. */
export const chainNetwork = (layers: readonly Layer[], entering: InputSpec): Network =>
  nameNetwork(
    [entering],
    layers.map((layer, i) => ({ layer, inputs: [i], outputs: [i + 1] })),
    [layers.length],
  );
