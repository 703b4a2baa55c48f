/** @file Reads PNG files into greys, to draw them as characters. Not a general decoder: interlaced files are left out. */
import { inflateSync } from "node:zlib";

/** Greys, row-major: 0 black, 255 white. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** More would not fit a terminal by far, and a small file can declare any size. */
const mostPixels = 16 * 1024 * 1024;
/** Samples of one pixel by PNG's colour type: grey, RGB, palette, grey and alpha, RGBA. */
const samplesOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
}

/** The picture, or undefined when the bytes are no PNG that can be drawn. */
export function decodePng(bytes: Uint8Array): Picture | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(0) !== 0x89504e47 || view.getUint32(4) !== 0x0d0a1a0a) return undefined;
  const header = {
    width: view.getUint32(16),
    height: view.getUint32(20),
    depth: bytes[24] ?? 0,
    colour: bytes[25] ?? 0,
  };
  const samples = samplesOf[header.colour];
  const isInterlaced = bytes[28] !== 0;
  const { width, height, depth } = header;
  if (samples === undefined || isInterlaced || width * height > mostPixels || width * height === 0) return undefined;
  if (![1, 2, 4, 8, 16].includes(depth)) return undefined;
  const { data, palette } = chunksOf(bytes, view);
  const rowBytes = Math.ceil((width * samples * depth) / 8);
  const raw = inflate(data, (rowBytes + 1) * height);
  if (raw === undefined) return undefined;
  const rows = unfilter(raw, rowBytes, height, Math.max(1, (samples * depth) >> 3));
  return rows && { width, height, pixels: greys(rows, rowBytes, header, samples, palette) };
}

function chunksOf(bytes: Uint8Array, view: DataView): { data: Uint8Array; palette: Uint8Array } {
  const data: Uint8Array[] = [];
  let palette: Uint8Array = new Uint8Array();
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (type === 0x49444154) data.push(body); // "IDAT"
    if (type === 0x504c5445) palette = body; // "PLTE"
    at += 12 + length;
  }
  return { data: Buffer.concat(data), palette };
}

function inflate(data: Uint8Array, size: number): Uint8Array | undefined {
  try {
    const raw = inflateSync(data, { maxOutputLength: size + 1024 });
    return raw.length >= size ? raw : undefined;
  } catch {
    // Damaged: the server's own decoder will say so; there is only nothing to draw.
    return undefined;
  }
}

/** Undoes the filter of each row (PNG specification, section 9). @param step bytes from a sample to the same one of the next pixel. */
function unfilter(raw: Uint8Array, rowBytes: number, height: number, step: number): Uint8Array | undefined {
  const rows = new Uint8Array(rowBytes * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (rowBytes + 1)] ?? 0;
    if (filter > 4) return undefined;
    for (let x = 0; x < rowBytes; x++) {
      const at = y * rowBytes + x;
      const left = x >= step ? (rows[at - step] ?? 0) : 0;
      const up = y > 0 ? (rows[at - rowBytes] ?? 0) : 0;
      const corner = x >= step && y > 0 ? (rows[at - rowBytes - step] ?? 0) : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      rows[at] = (raw[y * (rowBytes + 1) + 1 + x] ?? 0) + predicted;
    }
  }
  return rows;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [dLeft, dUp, dCorner] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)];
  if (dLeft <= dUp && dLeft <= dCorner) return left;
  return dUp <= dCorner ? up : corner;
}

function greys(rows: Uint8Array, rowBytes: number, header: Header, samples: number, palette: Uint8Array): Uint8Array {
  const { width, height, depth, colour } = header;
  const sample = (y: number, index: number): number => {
    if (depth === 8) return rows[y * rowBytes + index] ?? 0;
    if (depth === 16) return rows[y * rowBytes + index * 2] ?? 0;
    const bit = index * depth;
    const packed = rows[y * rowBytes + (bit >> 3)] ?? 0;
    const value = (packed >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    return colour === 3 ? value : Math.round((value * 255) / ((1 << depth) - 1));
  };
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const first = sample(y, x * samples);
      if (colour === 3)
        pixels[y * width + x] = luma(palette[first * 3], palette[first * 3 + 1], palette[first * 3 + 2]);
      else if (samples < 3) pixels[y * width + x] = first;
      else pixels[y * width + x] = luma(first, sample(y, x * samples + 1), sample(y, x * samples + 2));
    }
  return pixels;
}

/** Brightness by ITU-R BT.601. */
const luma = (red = 0, green = 0, blue = 0): number => Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
