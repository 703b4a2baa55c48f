/** @file safetensors: tensors with names in one file, readable in any order. Read header.ts first. */
export type { SafetensorsHeader, SafetensorsInfo, SafetensorsLimits } from "./header.ts";
export { decodeSafetensors, type Safetensors, SafetensorsFile } from "./read.ts";
export { parseShardIndex, SafetensorsShards } from "./shards.ts";
export {
  encodeSafetensors,
  type LazyTensor,
  type Metadata,
  type WriteSafetensorsOptions,
  writeSafetensors,
} from "./write.ts";
