/** @file GGUF: the files that llama.cpp serves. Read header.ts first, then write.ts and llama/. */
export type { GgufWritableType } from "./codec.ts";
export type { GgufHeader, GgufLimits, GgufTensorInfo } from "./header.ts";
export * from "./llama/index.ts";
export { GgufFile } from "./read.ts";
export type { GgufTensorType } from "./tensor-type.ts";
export type { GgufArray, GgufValue, GgufValueType } from "./value.ts";
export { byteTokens, vocabularyProblems } from "./vocabulary.ts";
export { type GgufContents, type GgufTensor, writeGguf } from "./write.ts";
