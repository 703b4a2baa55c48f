/** @file Writing GGUF piece by piece: the front, then each tensor's numbers in its type. */
import { type GgufHeaderContents, paddingBytes, type WrittenGgufHeader, writeGgufHeader } from "@gristmill/gguf";
import { shown } from "../../schema/problems.ts";
import type { ByteSink } from "../byte-sink.ts";
import { FileFormatError } from "../format-error.ts";
import { encodeBlocks, type GgufWritableType, writableTypes } from "./codec.ts";
import { asFormatError } from "./format-error.ts";

/** A tensor to write. */
export interface GgufTensor {
  readonly name: string;
  /** Row-major: the last axis lies together. At most 4 axes. */
  readonly shape: readonly number[];
  readonly type: GgufWritableType;
  /** Its numbers, row-major; asked for when its turn comes and let go of after. */
  load(): Float32Array | Promise<Float32Array>;
}

/** What to write. */
export interface GgufContents {
  /** In the file's order. `general.alignment` is not among them: it is always 32. */
  readonly metadata: GgufHeaderContents["metadata"];
  readonly tensors: readonly GgufTensor[];
}

/** Elements that are encoded at a time: 1 MiB of float32, whole blocks of every type. */
const pieceElements = 2 ** 18;

/**
 * Writes a file. Beside the tensor that `load` gives, about two megabytes are in memory.
 * @throws FileFormatError for what no reader would take, before anything is written; and for numbers that do not fit
 * their shape or type, when they are met: the file is then cut off.
 */
export async function writeGguf(sink: ByteSink, contents: GgufContents): Promise<void> {
  await sink.write(frontOf(contents).bytes);
  for (const tensor of contents.tensors) await writeTensor(sink, tensor);
}

function frontOf({ metadata, tensors }: GgufContents): WrittenGgufHeader {
  for (const { name, type } of tensors)
    if (!writableTypes.includes(type))
      throw new FileFormatError(
        nameOf(name),
        `expected a type out of ${writableTypes.join(", ")}, received ${shown(type)}`,
      );
  try {
    return writeGgufHeader({ metadata, tensors });
  } catch (error) {
    return asFormatError(error);
  }
}

async function writeTensor(sink: ByteSink, { name, shape, type, load }: GgufTensor): Promise<void> {
  const where = nameOf(name);
  const numbers = await load();
  const expected = shape.reduce((product, axis) => product * axis, 1);
  if (numbers.length !== expected)
    throw new FileFormatError(where, `expected ${expected} numbers for [${shape}], received ${numbers.length}`);
  let sizeBytes = 0;
  for (let at = 0; at < numbers.length; at += pieceElements) {
    const bytes = encodeBlocks(where, type, numbers.subarray(at, at + pieceElements));
    sizeBytes += bytes.length;
    await sink.write(bytes);
  }
  await sink.write(new Uint8Array(paddingBytes(sizeBytes)));
}

const nameOf = (name: string): string => `GGUF, tensor ${shown(name)}`;
