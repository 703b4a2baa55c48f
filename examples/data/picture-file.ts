/** @file Pictures in a file that is larger than memory: written one after another, read in any order. */
import { type FileHandle, open } from "node:fs/promises";
import type { Source } from "@gristmill/nn";
import { drawShape, generatedBytes, generatedSide } from "./generated-images.ts";

/** A class byte, then the pixels. */
const recordBytes = 1 + generatedBytes;
/** Pictures that are drawn before they are written. */
const chunk = 64;

/** Writes `count` generated pictures. */
export async function writePictures(
  path: string,
  count: number,
  seed: number,
  onProgress: (share: number) => void,
): Promise<void> {
  const file = await open(path, "w");
  try {
    const buffer = new Uint8Array(chunk * recordBytes);
    for (let start = 0; start < count; start += chunk) {
      const some = Math.min(chunk, count - start);
      for (let i = 0; i < some; i++) {
        const pixels = buffer.subarray(i * recordBytes + 1, (i + 1) * recordBytes);
        buffer[i * recordBytes] = drawShape(seed, start + i, pixels);
      }
      await file.writeFile(buffer.subarray(0, some * recordBytes));
      onProgress((start + some) / count);
    }
  } finally {
    await file.close();
  }
}

/** Bytes of a file of so many pictures. */
export const pictureFileBytes = (count: number): number => count * recordBytes;

/** Pictures of a file that is being read. */
export interface PictureFile extends AsyncDisposable {
  /** Some of them as a source: those from `start` up to `end`. */
  part(start: number, end: number): Source;
}

/** Opens a file of pictures; nothing is read before it is asked for. */
export async function openPictures(path: string): Promise<PictureFile> {
  const file = await open(path, "r");
  return {
    part: (start, end) => ({
      length: end - start,
      x: { dtype: "uint8", shape: [generatedSide, generatedSide, 3], scale: 1 / 255 },
      async batch(indices, { x, y }) {
        const record = new Uint8Array(recordBytes);
        for (const [i, index] of indices.entries()) {
          await readAll(file, record, (start + index) * recordBytes);
          y[i] = record[0] ?? 0;
          x.set(record.subarray(1), i * generatedBytes);
        }
      },
    }),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function readAll(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  const { bytesRead } = await file.read(into, 0, into.length, position);
  if (bytesRead !== into.length)
    throw new Error(
      `pictures: expected ${into.length} bytes at ${position}, received ${bytesRead}; the file was cut off`,
    );
}
