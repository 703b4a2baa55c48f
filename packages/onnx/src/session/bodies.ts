/**
 * @file Models before the runtime sees them. It hands out memory that nobody wrote for some bodies that ONNX allows (see
 * graph/own-outputs.ts), which may hold what other models left there, so files that were never decoded are mended too.
 */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { OnnxFormatError } from "../errors.ts";
import { decodeAsWritten } from "../format/decode.ts";
import { ExternalFolder } from "../format/external-folder.ts";
import { readModelFile } from "../format/model-file.ts";
import { scanMessage } from "../format/scan.ts";
import type { Model } from "../graph/graph.ts";
import { withOwnOutputs } from "../graph/own-outputs.ts";

/** What was given, or the same model with bodies that the runtime answers rightly. What cannot be read is left to the runtime. */
export function asTheRuntimeWants(given: Uint8Array | Model | string): Uint8Array | Model | string {
  if (typeof given !== "string" && !(given instanceof Uint8Array)) return mended(given) ?? given;
  try {
    return (typeof given === "string" ? mendedFile(given) : mendedBytes(given)) ?? given;
  } catch (error) {
    const isUnread = error instanceof OnnxFormatError || (error instanceof Error && "syscall" in error);
    if (isUnread) return given;
    throw error;
  }
}

function mended(model: Model): Model | undefined {
  const graph = withOwnOutputs(model.graph);
  return graph === model.graph ? undefined : { ...model, graph };
}

/** Few models have bodies, and a walk over the bytes allocates nothing. */
const hasBodies = (bytes: Uint8Array): boolean => scanMessage("ModelProto", bytes, {}) > 1;

const mendedBytes = (bytes: Uint8Array): Model | undefined =>
  hasBodies(bytes) ? mended(decodeAsWritten(bytes)) : undefined;

function mendedFile(path: string): Model | undefined {
  const bytes = readFileSync(path);
  if (!hasBodies(bytes)) return undefined;
  const folder = new ExternalFolder(dirname(path));
  const claim = folder.claim.bind(folder);
  // the weights beside it are not read before it is known that they are needed
  const sketch = decodeAsWritten(bytes, { external: { claim, read: () => undefined } });
  return mended(sketch) === undefined ? undefined : readModelFile(path);
}
