/** @file Files of others: tensors (safetensors), language models (GGUF), events (TensorBoard) and logs. Callers open the files. */
export { type ByteSink, fileSink, MemorySink, type WritableHandle } from "./byte-sink.ts";
export { type ByteSource, bytesSource, fileSource, type ReadableHandle } from "./byte-source.ts";
export { type ElementType, type StoredTensor, toFloat32, toShortFloats } from "./elements.ts";
export { FileFormatError } from "./format-error.ts";
export * from "./gguf/index.ts";
export * from "./logs/index.ts";
export * from "./safetensors/index.ts";
export * from "./tensorboard/index.ts";
