import type { SampleShape } from "../layers/shape.ts";
import type { Model } from "../model/model.ts";
import type { LayerSummary } from "../model/summary.ts";
import { graphPicture, type PictureEdge, type PictureGraph, type PictureNode } from "../pictures/index.ts";
import type { FunctionalSpec, ValueRef } from "../spec/functional-spec.ts";
import { isSequentialSpec } from "../spec/model-spec.ts";
import { usesOf } from "./chain.ts";

/**
 * A model as an SVG picture: inputs and layers as boxes with their kind, the sizes of one answer ("?" where only the run
 * knows) and their number of weights, by day and by night. A layer that is used several times is a box for each use; its
 * weights are counted at the first.
 */
export function modelPicture(
  model: Pick<Model, "inputs" | "layers" | "toSpec">,
  options: { readonly title?: string } = {},
): string {
  const inputs = model.inputs.map(
    ({ name, shape, dtype }): PictureNode => ({
      id: inputId(name),
      title: name,
      subtitle: dtype,
      lines: [["output", sizes(shape)]],
    }),
  );
  const spec = model.toSpec();
  const { nodes, edges } = isSequentialSpec(spec) ? chainOf(model) : graphOf(model, spec);
  return graphPicture({ nodes: [...inputs, ...nodes], edges }, options);
}

// an input and a layer may have one name; no name has a slash
const inputId = (name: string): string => `/${name}`;
const useId = (name: string, use: number): string => `${use}/${name}`;

function chainOf(model: Pick<Model, "inputs" | "layers">): PictureGraph {
  const layers = model.layers();
  const ids = [...model.inputs.map(({ name }) => inputId(name)), ...layers.map(({ name }) => useId(name, 0))];
  return {
    nodes: layers.map((layer) => boxOf(layer, 0, layer.outputs)),
    edges: ids.slice(1).map((to, i) => ({ from: ids[i] ?? "", to })),
  };
}

function graphOf(model: Pick<Model, "layers">, spec: FunctionalSpec): PictureGraph {
  const summaries = new Map(model.layers().map((layer) => [layer.name, layer]));
  const inputNames = new Set(spec.inputs.map(({ name }) => name));
  const idOf = (ref: ValueRef): string => {
    const { layer, use = 0 } = typeof ref === "string" ? { layer: ref } : ref;
    return inputNames.has(layer) ? inputId(layer) : useId(layer, use);
  };
  const nodes: PictureNode[] = [];
  const edges: PictureEdge[] = [];
  for (const entry of spec.layers) {
    const layer = summaries.get(entry.name);
    const uses = usesOf(entry);
    if (layer === undefined) continue;
    const each = layer.outputs.length / uses.length;
    for (const [use, refs] of uses.entries()) {
      nodes.push(boxOf(layer, use, layer.outputs.slice(use * each, (use + 1) * each)));
      for (const ref of refs) edges.push({ from: idOf(ref), to: useId(entry.name, use) });
    }
  }
  return { nodes, edges };
}

function boxOf({ name, type, parameters }: LayerSummary, use: number, outputs: readonly SampleShape[]): PictureNode {
  const shapes = outputs.map((shape) => ["output", sizes(shape)] as const);
  const weights = parameters === 0 || use > 0 ? [] : [["parameters", parameters.toLocaleString("en-US")] as const];
  const again = use === 0 ? [] : [["weights", "shared"] as const];
  return {
    id: useId(name, use),
    title: name,
    subtitle: type,
    lines: [...shapes, ...weights, ...(parameters === 0 ? [] : again)],
  };
}

const sizes = (shape: SampleShape): string =>
  shape.length === 0 ? "one number" : shape.map((size) => size?.toLocaleString("en-US") ?? "?").join(" × ");
