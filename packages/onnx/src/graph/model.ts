/** @file A graph becomes a model when it is told which operator set it is written in. */
import type { Graph, Model } from "./graph.ts";

/** Opset that new models are written in. */
export const defaultOpset = 21;

/** A graph as a model. `opset` is the version of ai.onnx, 21 when not said; `metadata` travels in the file. */
export function model(
  graph: Graph,
  options: { opset?: number; producer?: string; metadata?: Readonly<Record<string, string>> } = {},
): Model {
  return {
    graph,
    opset: options.opset ?? defaultOpset,
    producer: options.producer ?? "gristmill",
    metadata: { ...options.metadata },
  };
}
