/** @file Models as files, with weights beside them where one file does not do: protobuf ends at 2 GiB. */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Model } from "../graph/graph.ts";
import { bytesOfWeight, weightsOf } from "../graph/weights.ts";
import type { Tensor } from "../tensor.ts";
import { type DecodeOptions, decodeModel } from "./decode.ts";
import { bytesOf, encodeModel, type PlaceWeight } from "./encode.ts";
import type { WeightPlace } from "./external-data.ts";
import { ExternalFolder, type ExternalLimits } from "./external-folder.ts";
import type { DecodeLimits } from "./scan.ts";

/** What a model file may ask for. */
export interface ReadModelOptions extends DecodeLimits {
  readonly external?: ExternalLimits;
}

/** How a model is written. */
export interface WriteModelOptions {
  /** Weights of so many bytes and more lie beside the model; 64 KiB when not said. */
  readonly externalFromBytes?: number;
  /** Models whose weights have so many bytes or fewer stay one file; 1 GiB when not said. */
  readonly oneFileUpToBytes?: number;
}

/** Where weights begin beside a model: at pages, so that a runtime can map them. */
const alignment = 4096;
const chunkBytes = 2 ** 30;

/**
 * Reads a model file, with the weights that lie in other files of its folder.
 * @throws OnnxFormatError as `decodeModel` and `ExternalFolder` do. @throws Error when the file cannot be read.
 */
export function readModelFile(path: string, options: ReadModelOptions = {}): Model {
  const { external: limits, ...others } = options;
  const external = new ExternalFolder(dirname(path), limits);
  return decodeModel(readFileSync(path), { ...others, external } satisfies DecodeOptions);
}

/**
 * Writes a model file; where its weights are many, with a second file beside it, named after the first and ".data". Both are
 * written under other names first, so that a file of their name is always whole; the two belong together.
 * @returns the paths of the files written, the model first
 */
export function writeModelFile(path: string, model: Model, options: WriteModelOptions = {}): readonly string[] {
  const all = [...weightsOf(model.graph)];
  const total = all.reduce((sum, weight) => sum + bytesOfWeight(weight), 0);
  const isOneFile = total <= (options.oneFileUpToBytes ?? 2 ** 30);
  const least = options.externalFromBytes ?? 2 ** 16;
  const outside = isOneFile ? [] : all.filter((weight) => bytesOfWeight(weight) >= Math.max(1, least));
  if (outside.length === 0) {
    writeWhole(path, (file) => writeFileSync(file, encodeModel(model)));
    return [path];
  }
  const dataPath = `${path}.data`;
  const places = placesOf(outside, basename(dataPath));
  writeWhole(dataPath, (file) => writeWeights(file, places));
  const place: PlaceWeight = (weight) => places.get(weight);
  writeWhole(path, (file) => writeFileSync(file, encodeModel(model, place)));
  return [path, dataPath];
}

function placesOf(weights: readonly Tensor[], location: string): Map<Tensor, WeightPlace> {
  const places = new Map<Tensor, WeightPlace>();
  let at = 0;
  for (const weight of weights) {
    const length = bytesOfWeight(weight);
    places.set(weight, { location, offset: at, length });
    at = Math.ceil((at + length) / alignment) * alignment;
  }
  return places;
}

function writeWeights(path: string, places: ReadonlyMap<Tensor, WeightPlace>): void {
  const handle = openSync(path, "wx");
  try {
    for (const [weight, { offset, length }] of places) {
      const bytes = bytesOf(weight);
      for (let done = 0; done < length; )
        done += writeSync(handle, bytes, done, Math.min(chunkBytes, length - done), offset + done);
    }
  } finally {
    closeSync(handle);
  }
}

/** Writes under another name beside the path, then takes the name: whoever reads sees all of the file or none. */
function writeWhole(path: string, write: (file: string) => void): void {
  const file = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    write(file);
    renameSync(file, path);
  } finally {
    rmSync(file, { force: true });
  }
}
