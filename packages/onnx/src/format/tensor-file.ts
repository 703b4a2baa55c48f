/** @file Files with one tensor (TensorProto), such as the inputs and outputs of ONNX's own tests. */
import type { Tensor } from "../tensor.ts";
import { fromWireTensor } from "./decode-tensor.ts";
import { type DecodeLimits, scanMessage } from "./scan.ts";
import { parseWireTensor } from "./wire.ts";

/**
 * Reads a file with one tensor.
 * @throws OnnxFormatError for other bytes, element types without support, and data in another file.
 */
export function decodeTensor(bytes: Uint8Array, limits: DecodeLimits = {}): Tensor {
  scanMessage("TensorProto", bytes, limits);
  const wire = parseWireTensor(bytes);
  return fromWireTensor(wire.name === "" ? "tensor" : `tensor "${wire.name}"`, wire);
}
