/** @file onnx: graphs that train and serve. Read in this order: dtype, shape, tensor, graph, operators, format, session. */
export { type Dtype, dtypeBytes, dtypeCode, dtypeOfCode, dtypes, isFloating } from "./dtype.ts";
export { DtypeError, OnnxError, OnnxFormatError, SessionError, ShapeError } from "./errors.ts";
export { type DecodeOptions, decodeModel } from "./format/decode.ts";
export { encodeModel } from "./format/encode.ts";
export type { ExternalData, ExternalPlace } from "./format/external-data.ts";
export { ExternalFolder, type ExternalLimits } from "./format/external-folder.ts";
export {
  type ReadModelOptions,
  readModelFile,
  type WriteModelOptions,
  writeModelFile,
} from "./format/model-file.ts";
export type { DecodeLimits } from "./format/scan.ts";
export { decodeTensor } from "./format/tensor-file.ts";
export { GraphBuilder } from "./graph/builder.ts";
export { assertModel, checkGraph } from "./graph/check.ts";
export { formatGraph } from "./graph/format.ts";
export type { Attribute, Attributes, Graph, Model, Node, Value } from "./graph/graph.ts";
export { liftConstants } from "./graph/lift-constants.ts";
export { defaultOpset, model } from "./graph/model.ts";
export type { Problem } from "./graph/problem.ts";
export { settingsOf } from "./operators/settings.ts";
export { type AttributesOf, type OperatorName, operatorNames, operators, type SettingsOf } from "./operators/table.ts";
export {
  type LeftNode,
  type Quantized,
  type QuantizedNode,
  type QuantizeOptions,
  quantizeModel,
} from "./quantize/quantize.ts";
export type { WeightBits } from "./quantize/weight.ts";
export {
  createSession,
  type RunOptions,
  type RunResult,
  type Session,
  type SessionOptions,
} from "./session/session.ts";
export {
  type Dim,
  elementCount,
  formatShape,
  isUnknownShape,
  type Shape,
  sameShape,
  unknownShape,
} from "./shape.ts";
export { emptyArray, type Tensor, type TensorArrays, type TensorData, tensor } from "./tensor.ts";
