/** @file A graph of layers as JSON: named inputs, layers that say what enters them, and what leaves. */
import { NnError } from "../errors.ts";
import type { LayerSpec } from "../layers/layer.ts";
import { layerSpec, parseLayer } from "../layers/registry.ts";
import type { SampleShape } from "../layers/shape.ts";
import { type Network, nameNetwork, type UnnamedCall } from "../network/network.ts";
import type { InputDtype, InputSpec } from "../network/symbolic.ts";
import { sampleShape } from "../schema/field.ts";
import { isRecord, type Problems, shown } from "../schema/problems.ts";

/** What enters a layer or leaves the model: an input or layer by name, or one of a layer's uses and outputs (both from 0). */
export type ValueRef = string | { readonly layer: string; readonly use?: number; readonly output?: number };

/** A layer of a graph: one list of `inputs`, or with `uses` one list for each time it is used. */
export type GraphLayerSpec = LayerSpec & { readonly name: string };

/** A model of any number of inputs and outputs. */
export interface FunctionalSpec {
  readonly inputs: readonly { readonly name: string; readonly shape: SampleShape; readonly dtype: InputDtype }[];
  readonly layers: readonly GraphLayerSpec[];
  readonly outputs: readonly ValueRef[];
}

interface Use {
  readonly layer: number;
  readonly use: number;
  readonly inputs: readonly Required<Exclude<ValueRef, string>>[];
}

/** Reads a graph. @throws SpecError listing every problem: names that nobody has, cycles, wrong fields. */
export function parseFunctional(
  raw: Readonly<Record<string, unknown>>,
  entries: readonly unknown[],
  problems: Problems,
): Network {
  const inputs = readInputs(raw["inputs"], problems);
  const layers = entries.map((entry, i) => {
    if (!isRecord(entry)) return { layer: parseLayer(entry, `layers[${i}]`, problems), uses: [] };
    const { inputs: once, uses, ...rest } = entry;
    if (typeof rest["name"] !== "string") problems.add(`layers[${i}].name`, "expected a name: the graph refers to it");
    if ((once === undefined) === (uses === undefined))
      problems.add(
        `layers[${i}]`,
        'expected "inputs" (what enters it), or "uses" (a list of such lists) for a shared layer',
      );
    const lists: unknown = uses ?? [once];
    if (!Array.isArray(lists)) problems.add(`layers[${i}].uses`, `expected a list of lists, received ${shown(lists)}`);
    return {
      layer: parseLayer(rest, `layers[${i}]`, problems),
      uses: (Array.isArray(lists) ? lists : []).map((list) => readRefs(list, `layers[${i}].inputs`, problems)),
    };
  });
  const outputs = readRefs(raw["outputs"], "outputs", problems);
  if (outputs.length === 0) problems.add("outputs", "expected at least one output");
  problems.throwIfAny();

  const numbers = new Map<string, number>();
  const keyOf = (name: string, use: number, output: number): string => `${name}/${use}/${output}`;
  inputs.forEach(({ name = "input" }, i) => {
    if (numbers.has(keyOf(name, 0, 0)))
      problems.add(`inputs[${i}].name`, `expected a name of its own, received "${name}" again`);
    numbers.set(keyOf(name, 0, 0), i);
  });
  const names = layers.map(({ layer }) => layer?.name ?? "");
  names.forEach((name, i) => {
    if (names.indexOf(name) < i || inputs.some((input) => input.name === name))
      problems.add(`layers[${i}].name`, `expected a name of its own, received "${name}" again`);
  });
  problems.throwIfAny();
  const numberOf = (ref: Use["inputs"][number]): number | undefined =>
    numbers.get(keyOf(ref.layer, ref.use, ref.output));

  let waiting: Use[] = layers.flatMap(({ uses }, layer) => uses.map((refs, use) => ({ layer, use, inputs: refs })));
  const calls: UnnamedCall[] = [];
  const shapes: SampleShape[] = inputs.map(({ shape }) => shape);
  while (waiting.length > 0) {
    const ready = waiting.filter((use) => use.inputs.every((ref) => numberOf(ref) !== undefined));
    if (ready.length === 0) {
      addUnreachable(waiting, names, inputs, problems);
      problems.throwIfAny();
    }
    for (const { layer: place, use, inputs: refs } of ready) {
      const layer = layers[place]?.layer;
      if (layer === undefined) throw new NnError(`layers[${place}]: it was not read and no problem was named`);
      const entering = refs.map((ref) => numberOf(ref) ?? 0);
      const made = shapesOf(
        () =>
          layer.outputShapes(
            entering.map((value) => shapes[value] ?? []),
            `layers[${place}] (${layer.name})`,
          ),
        problems,
      );
      const leaving = made.map((shape, output) => {
        numbers.set(keyOf(layer.name ?? "", use, output), shapes.length);
        return shapes.push(shape) - 1;
      });
      calls.push({ layer, inputs: entering, outputs: leaving });
    }
    waiting = waiting.filter((use) => !ready.includes(use));
  }
  const leaving = outputs.map((ref, i) => {
    const value = numberOf(ref);
    if (value === undefined) problems.add(`outputs[${i}]`, `no input or layer has an output ${shown(ref)}`);
    return value ?? 0;
  });
  problems.throwIfAny();
  return nameNetwork(inputs, calls, leaving);
}

function shapesOf(read: () => readonly SampleShape[], problems: Problems): readonly SampleShape[] {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Error) || !("where" in error)) throw error;
    problems.add(String(error.where), error.message.slice(String(error.where).length + 2));
    problems.throwIfAny();
    return [];
  }
}

/** Says which names nobody has; where all are known, the layers wait for each other in a circle. */
function addUnreachable(
  waiting: readonly Use[],
  names: readonly string[],
  inputs: readonly InputSpec[],
  problems: Problems,
): void {
  const known = new Set([...names, ...inputs.map(({ name }) => name ?? "input")]);
  for (const { layer, inputs: refs } of waiting)
    for (const ref of refs)
      if (!known.has(ref.layer))
        problems.add(
          `layers[${layer}].inputs`,
          `no input or layer is named "${ref.layer}"; known: ${[...known].join(", ")}`,
        );
  if (problems.count === 0)
    problems.add(
      "layers",
      `expected a graph without circles and outputs that exist; ${waiting.map(({ layer }) => names[layer]).join(", ")} wait for each other`,
    );
}

function readInputs(value: unknown, problems: Problems): InputSpec[] {
  if (!Array.isArray(value) || value.length === 0) {
    problems.add("inputs", `expected a list of {"name", "shape", "dtype"}, received ${shown(value)}`);
    return [];
  }
  return value.flatMap((entry: unknown, i) => {
    const where = `inputs[${i}]`;
    if (!isRecord(entry)) {
      problems.add(where, `expected {"name", "shape", "dtype"}, received ${shown(entry)}`);
      return [];
    }
    const { name = "input", shape, dtype = "float32", ...others } = entry;
    for (const key of Object.keys(others))
      problems.add(`${where}.${key}`, "unknown field; expected name, shape, dtype");
    if (typeof name !== "string") problems.add(`${where}.name`, `expected a name, received ${shown(name)}`);
    if (dtype !== "float32" && dtype !== "int32")
      problems.add(`${where}.dtype`, `expected "float32" or "int32", received ${shown(dtype)}`);
    const sizes = sampleShape().read(shape, `${where}.shape`, problems);
    return [{ name: String(name), shape: sizes ?? [], dtype: dtype === "int32" ? "int32" : "float32" }];
  });
}

function readRefs(value: unknown, where: string, problems: Problems): Use["inputs"] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isCount = (number: unknown): number is number => Number.isInteger(number) && Number(number) >= 0;
  return list.flatMap((ref) => {
    if (typeof ref === "string") return [{ layer: ref, use: 0, output: 0 }];
    const { layer, use = 0, output = 0 } = isRecord(ref) ? ref : {};
    if (typeof layer === "string" && isCount(use) && isCount(output)) return [{ layer, use, output }];
    problems.add(where, `expected names, or {"layer", "use", "output"}, received ${shown(ref)}`);
    return [];
  });
}

/** A graph as JSON, complete. */
export function functionalSpec(network: Network): FunctionalSpec {
  const refs = new Map<number, ValueRef>(network.inputs.map(({ name }, i) => [i, name]));
  const uses = new Map<string, { spec: LayerSpec; inputs: ValueRef[][] }>();
  const refOf = (value: number): ValueRef => {
    const ref = refs.get(value);
    if (ref === undefined) throw new NnError(`value ${value} is used before it is made`);
    return ref;
  };
  for (const { layer, name, inputs, outputs } of network.calls) {
    const entry = uses.get(name) ?? { spec: { ...layerSpec(layer), name }, inputs: [] };
    uses.set(name, entry);
    const use = entry.inputs.push(inputs.map(refOf)) - 1;
    outputs.forEach((value, output) => {
      refs.set(value, use === 0 && output === 0 ? name : { layer: name, use, output });
    });
  }
  return {
    inputs: network.inputs.map(({ name, shape, dtype }) => ({ name, shape: [...shape], dtype })),
    layers: [...uses].map(([name, { spec, inputs }]): GraphLayerSpec => {
      const [once = []] = inputs;
      return { ...spec, name, ...(inputs.length === 1 ? { inputs: once } : { uses: inputs }) };
    }),
    outputs: network.outputs.map(({ value }) => refOf(value)),
  };
}
