import type { Model, Tensor } from "@gristmill/onnx";

/** A model whose constants are initializers: exporters such as PaddlePaddle's write weights as nodes, which training does not see. */
export function constantsAsInitializers(model: Model): Model {
  const initializers = new Map<string, Tensor>(model.graph.initializers);
  const nodes = model.graph.nodes.filter(({ operator, outputs, attributes }) => {
    const value = attributes["value"];
    const name = outputs[0]?.name;
    if (operator !== "Constant" || name === undefined || typeof value !== "object" || !("tensor" in value)) return true;
    initializers.set(name, value.tensor);
    return false;
  });
  return { ...model, graph: { ...model.graph, nodes, initializers } };
}
