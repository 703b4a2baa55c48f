/** @file Small models for tests. */
import type { ImageClassification } from "@gristmill/contract";
import { encodeModel, GraphBuilder, model, tensor } from "@gristmill/onnx";

/** `y = x * factor`, float32 [batch, 3]. */
export function scaling(factor: number): Uint8Array {
  const graph = new GraphBuilder("scaling");
  const x = graph.input("x", "float32", ["batch", 3]);
  graph.output(graph.op("Mul", [x, graph.scalar(factor)]), "y");
  return encodeModel(model(graph.build()));
}

/** Takes long: products of a 1024 x 1024 matrix with itself, so many times, for each run. `y` is float32 [batch, 1]. */
export function slow(products: number): Uint8Array {
  const graph = new GraphBuilder("slow");
  const x = graph.input("x", "float32", ["batch", 1]);
  const size = 1024;
  const zeros = graph.initializer("zeros", tensor("float32", [size, size], new Float32Array(size * size)));
  // Depends on the input, so that the runtime can't compute it once at loading.
  const first = graph.op("ReduceSum", [x], { keepdims: 0 });
  let matrix = graph.op("Add", [zeros, first]);
  for (let i = 0; i < products; i++) matrix = graph.op("MatMul", [matrix, zeros]);
  graph.output(graph.op("Add", [x, graph.op("ReduceSum", [matrix], { keepdims: 0 })]), "y");
  return encodeModel(model(graph.build()));
}

/** An image classifier whose scores are the image's own numbers, one by one: what preprocessing gave can be seen. */
export function seer(task: Omit<ImageClassification, "task" | "class_names">): Uint8Array {
  const graph = new GraphBuilder("seer");
  const { height, width, channels } = task;
  const x = graph.input("image", "float32", ["batch", height, width, channels]);
  graph.output(graph.op("Flatten", [x], { axis: 1 }), "scores");
  const metadata = {
    "gristmill.task": JSON.stringify({ task: "image-classification", class_names: [], ...task }),
  };
  return encodeModel(model(graph.build(), { metadata }));
}
