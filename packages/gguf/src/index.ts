/** @file GGUF: the files that llama.cpp serves. Read header.ts first. */
export { bytesSource } from "./bytes-source.ts";
export { GgufError, type GgufErrorCode } from "./errors.ts";
export { frontFromText, frontKey, frontToText } from "./front-text.ts";
export type { GgufHeader, GgufLimits, GgufTensorInfo } from "./header.ts";
export { type GgufSource, openGgufHeader, readGgufHeader } from "./read-header.ts";
export { blockBytes, blockElements, type GgufTensorType } from "./tensor-type.ts";
export type { GgufArray, GgufNumberArrays, GgufNumberType, GgufValue, GgufValueType } from "./value.ts";
export { byteTokens, type GgufProblem, vocabularyProblems } from "./vocabulary.ts";
export { type GgufHeaderContents, paddingBytes, type WrittenGgufHeader, writeGgufHeader } from "./write-header.ts";
