import type { ImageClassification } from "@gristmill/contract";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { createImageReader } from "./image-tensor.ts";

const task = (height: number, width: number, channels: number, scale = 1): ImageClassification => ({
  task: "image-classification",
  height,
  width,
  channels,
  scale,
  class_names: [],
});

/** Bytes 0, 1, 2 … as an image. */
const ramp = (height: number, width: number, channels: 1 | 2 | 3 | 4) =>
  sharp(Buffer.from(Array.from({ length: height * width * channels }, (_, i) => (i * 7) % 256)), {
    raw: { height, width, channels },
  });
const bytesOf = (height: number, width: number, channels: number) =>
  Array.from({ length: height * width * channels }, (_, i) => (i * 7) % 256);
const code = async (image: Uint8Array, reader = createImageReader(task(8, 8, 1))): Promise<unknown> =>
  (await reader)(image).then(
    () => "ok",
    (error: unknown) => (error as { code?: string }).code ?? error,
  );

/** A PNG that declares a size and has no pixels: a few dozen bytes that would become gigabytes. */
function declaredPng(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const frame = Buffer.alloc(4);
    frame.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([frame, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([magic, chunk("IHDR", header), chunk("IDAT", Buffer.alloc(12)), chunk("IEND", Buffer.alloc(0))]);
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

describe("an image reader", () => {
  it("[IMG1] gives a gray PNG of the model's size byte by byte, scaled, as [1, height, width, 1]", async () => {
    const read = await createImageReader(task(28, 28, 1, 1 / 255));
    const { dtype, shape, data } = await read(await ramp(28, 28, 1).toColourspace("b-w").png().toBuffer());
    expect([dtype, shape]).toEqual(["float32", [1, 28, 28, 1]]);
    expect(data).toEqual(Float32Array.from(bytesOf(28, 28, 1), (byte) => byte * (1 / 255)));
  });

  it("[IMG1] gives the colours of a PNG and of a lossless WebP byte by byte, channels last", async () => {
    const read = await createImageReader(task(4, 6, 3));
    for (const image of [ramp(4, 6, 3).png(), ramp(4, 6, 3).webp({ lossless: true })]) {
      const { shape, data } = await read(await image.toBuffer());
      expect(shape).toEqual([1, 4, 6, 3]);
      expect([...data]).toEqual(bytesOf(4, 6, 3));
    }
  });

  it("[IMG1] makes gray of colours and colours of gray", async () => {
    const colour = { create: { width: 5, height: 5, channels: 3 as const, background: "#ffffff" } };
    const gray = await (await createImageReader(task(5, 5, 1)))(await sharp(colour).jpeg().toBuffer());
    expect([gray.shape, new Set(gray.data)]).toEqual([[1, 5, 5, 1], new Set([255])]);
    const one = await ramp(5, 5, 1).toColourspace("b-w").png().toBuffer();
    const three = await (await createImageReader(task(5, 5, 3)))(one);
    expect([...three.data]).toEqual(bytesOf(5, 5, 1).flatMap((byte) => [byte, byte, byte]));
  });

  it("[IMG2] stretches to the model's size, turns upright, and lays transparency on black", async () => {
    const half = await sharp({ create: { width: 40, height: 20, channels: 3, background: "#000000" } })
      .composite([
        { input: { create: { width: 20, height: 20, channels: 3, background: "#ffffff" } }, left: 0, top: 0 },
      ])
      .png()
      .toBuffer();
    const read = await createImageReader(task(4, 4, 1));
    const light = async (image: Uint8Array) =>
      [...(await read(image)).data].map((byte) => (byte > 128 ? 1 : 0)).join("");
    expect(await light(half)).toBe("1100110011001100");
    // Orientation 6: the camera was turned; the left half is the upper half.
    const turned = await sharp(half).withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer();
    expect(await light(turned)).toBe("1111111100000000");
    const clear = {
      create: { width: 8, height: 8, channels: 4 as const, background: { r: 255, g: 255, b: 255, alpha: 0 } },
    };
    expect(new Set((await read(await sharp(clear).png().toBuffer())).data)).toEqual(new Set([0]));
  });

  it("[IMG3] refuses what is no PNG, JPEG or WebP, by its first bytes, and says what it is", async () => {
    const reader = createImageReader(task(8, 8, 1));
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>';
    const others: [Uint8Array, RegExp][] = [
      [Buffer.from(svg), /SVG/],
      [Buffer.from(`<?xml version="1.0"?>${svg}`), /XML/],
      [await ramp(8, 8, 3).gif().toBuffer(), /GIF/],
      [await ramp(8, 8, 3).tiff().toBuffer(), /TIFF/],
      [Buffer.from("hello"), /no known image/],
      [Buffer.alloc(0), /no known image/],
    ];
    for (const [image, words] of others) {
      const error = await (await reader)(image).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "image.unreadable" });
      expect((error as Error).message).toMatch(words);
    }
  });

  it("[IMG3] refuses broken images of the right first bytes", async () => {
    for (const format of ["png", "jpeg", "webp"] as const) {
      const whole = await ramp(64, 64, 3).toFormat(format).toBuffer();
      expect(await code(whole), format).toBe("ok");
      expect(await code(whole.subarray(0, whole.length / 2)), `half a ${format}`).toBe("image.unreadable");
      expect(await code(whole.subarray(0, 16)), `the start of a ${format}`).toBe("image.unreadable");
      const noise = Buffer.concat([whole.subarray(0, 16), Buffer.alloc(500, 0xa5)]);
      expect(await code(noise), `${format} and noise`).toBe("image.unreadable");
    }
  });

  it("[IMG4] refuses a declared 50,000 x 50,000 before decoding, with the limit in its words", async () => {
    const bomb = declaredPng(50_000, 50_000);
    expect(bomb.length).toBeLessThan(100);
    const before = process.memoryUsage.rss();
    const error = await (await createImageReader(task(8, 8, 1)))(bomb).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "image.too_large", details: { width: 50_000, height: 50_000 } });
    expect((error as Error).message).toMatch(/67108864 pixels, received 50000 x 50000/);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
  });
});
