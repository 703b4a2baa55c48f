/** @file Models as files of others: safetensors, and llama-style decoders as GGUF or as ONNX with a cache. */

export { type ToDecoderOnnxOptions, toDecoderOnnx } from "./decoder-onnx.ts";
export { type ToLlamaGgufOptions, toLlamaGguf } from "./llama-gguf.ts";
export { modelPicture } from "./model-picture.ts";
export {
  fromSafetensors,
  type LoadSafetensorsOptions,
  loadSafetensors,
  type ToSafetensorsOptions,
  toSafetensors,
} from "./safetensors.ts";
