/** @file A model in several safetensors files, with `model.safetensors.index.json` saying which tensor is where. */
import { isRecord, shown } from "../../schema/problems.ts";
import type { ByteSource } from "../byte-source.ts";
import type { StoredTensor } from "../elements.ts";
import { FileFormatError } from "../format-error.ts";
import { parseJson } from "../json-check.ts";
import { nameOfTensor, type SafetensorsLimits } from "./header.ts";
import { SafetensorsFile } from "./read.ts";

const where = "safetensors index";

/** Which file each tensor is in. @throws FileFormatError also for file names that would leave the index's folder. */
export function parseShardIndex(json: Uint8Array, limits: SafetensorsLimits = {}): ReadonlyMap<string, string> {
  const most = limits.headerBytes ?? 100_000_000;
  if (json.length > most) throw new FileFormatError(where, `expected at most ${most} bytes, received ${json.length}`);
  const raw = parseJson(where, json, { depth: 8, values: limits.headerValues ?? 4_000_000 });
  const map = isRecord(raw) ? raw["weight_map"] : undefined;
  if (!isRecord(map))
    throw new FileFormatError(where, `expected { "weight_map": { tensor: file } }, received ${shown(raw)}`);
  const files = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    // letters that no file system reads as a folder, a drive or a stream
    if (typeof file !== "string" || !/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$/.test(file))
      throw new FileFormatError(
        `${where}, ${shown(tensor)}`,
        `expected the name of a file in the same folder, received ${shown(file)}`,
      );
    files.set(tensor, file);
  }
  return files;
}

/** Several files as one. A file is opened when the first of its tensors is asked for. */
export class SafetensorsShards {
  readonly #open: (file: string) => Promise<ByteSource>;
  readonly #limits: SafetensorsLimits;
  readonly #files = new Map<string, Promise<SafetensorsFile>>();
  /** File of each tensor. */
  readonly index: ReadonlyMap<string, string>;

  /** `open` is given plain file names of the index's folder; closing what it opened is left to the caller. */
  constructor(indexJson: Uint8Array, open: (file: string) => Promise<ByteSource>, limits: SafetensorsLimits = {}) {
    this.index = parseShardIndex(indexJson, limits);
    this.#open = open;
    this.#limits = limits;
  }

  /** A tensor. @throws FileFormatError when the index has none of that name, or its file has not. */
  async read(name: string): Promise<StoredTensor> {
    return (await this.#fileOf(name)).read(name);
  }

  /** Some rows of a tensor: `SafetensorsFile.readRows`. */
  async readRows(name: string, first: number, count: number): Promise<StoredTensor> {
    return (await this.#fileOf(name)).readRows(name, first, count);
  }

  /**
   * Opens every file and compares it with the index.
   * @throws FileFormatError when a tensor is not where the index says, or a file has one that the index does not name.
   */
  async verify(): Promise<void> {
    for (const file of new Set(this.index.values())) {
      const { tensors } = (await this.#shard(file)).header;
      for (const name of tensors.keys())
        if (this.index.get(name) !== file)
          throw new FileFormatError(nameOfTensor(name), `it is in ${file}, where the index does not have it`);
    }
    for (const name of this.index.keys()) await this.#fileOf(name);
  }

  async #fileOf(name: string): Promise<SafetensorsFile> {
    const file = this.index.get(name);
    if (file === undefined) throw new FileFormatError(nameOfTensor(name), "the index has none of that name");
    const shard = await this.#shard(file);
    if (!shard.header.tensors.has(name))
      throw new FileFormatError(
        nameOfTensor(name),
        `the index says that it is in ${file}, which has none of that name`,
      );
    return shard;
  }

  #shard(file: string): Promise<SafetensorsFile> {
    const opened = this.#files.get(file);
    if (opened !== undefined) return opened;
    const opening = this.#open(file).then((source) => SafetensorsFile.open(source, this.#limits));
    this.#files.set(file, opening);
    // a file that could not be opened may be there the next time
    opening.catch(() => this.#files.delete(file));
    return opening;
  }
}
