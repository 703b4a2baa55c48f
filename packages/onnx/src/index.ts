/** @file onnx: graphs that train and serve. Read in this order: dtype, shape, tensor, graph, operators, format, session. */
export { type Dtype, dtypeBytes, dtypeCode, dtypeOfCode, dtypes, isFloating } from "./dtype.ts";
export { DtypeError, OnnxError, OnnxFormatError, SessionError, ShapeError } from "./errors.ts";
export type { Attribute, Attributes, Graph, Model, Node, Value } from "./graph/graph.ts";
export { type Dim, elementCount, formatShape, type Shape, sameShape } from "./shape.ts";
export { emptyArray, type Tensor, type TensorArrays, type TensorData, tensor } from "./tensor.ts";
