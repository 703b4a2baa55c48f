/** @file What goes wrong with graphs, in few classes. Every message says where, what was expected, and what was received. */

/** A graph or a call on it that breaks a rule of ONNX or of this package. */
export class OnnxError extends Error {
  override readonly name: string = "OnnxError";
  /** The node, layer, tensor or file that is at fault. */
  readonly where: string;

  constructor(where: string, message: string, options?: ErrorOptions) {
    super(`${where}: ${message}`, options);
    this.where = where;
  }
}

/** Sizes that don't fit. */
export class ShapeError extends OnnxError {
  override readonly name = "ShapeError";
}

/** Element types that don't fit. */
export class DtypeError extends OnnxError {
  override readonly name = "DtypeError";
}

/** Bytes that are not a valid ONNX model, or one that uses what this package does not read. */
export class OnnxFormatError extends OnnxError {
  override readonly name = "OnnxFormatError";
}

/** The runtime refused a model or a run. */
export class SessionError extends OnnxError {
  override readonly name = "SessionError";
}
