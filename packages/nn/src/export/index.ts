/** @file Models as files of others: safetensors, and GGUF for llama-style decoders. */

export { type ToLlamaGgufOptions, toLlamaGguf } from "./llama-gguf.ts";
export { modelPicture } from "./model-picture.ts";
export {
  fromSafetensors,
  type LoadSafetensorsOptions,
  loadSafetensors,
  type ToSafetensorsOptions,
  toSafetensors,
} from "./safetensors.ts";
