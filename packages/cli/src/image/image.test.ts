import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawPicture, resample } from "./draw.ts";
import { drawGallery } from "./gallery.ts";
import { decodePng } from "./png.ts";

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  readonly colour?: number;
  readonly interlace?: number;
  readonly palette?: readonly number[];
}

/** A PNG file of filtered rows; checksums are left 0, since drawing does not need them. */
function png(
  { width, height, depth = 8, colour = 0, interlace = 0, palette }: Shape,
  rows: readonly number[][],
): Buffer {
  const chunk = (type: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(body.length);
    head.write(type, 4, "latin1");
    return Buffer.concat([head, body, Buffer.alloc(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlace], 8);
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    ...(palette === undefined ? [] : [chunk("PLTE", Buffer.from(palette))]),
    chunk("IDAT", deflateSync(Buffer.from(rows.flat()))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const pixels = (bytes: Uint8Array): number[] | undefined => {
  const picture = decodePng(bytes);
  return picture && [...picture.pixels];
};

describe("decodePng", () => {
  it("undoes each filter: none, left, up, average, Paeth", () => {
    const shape = { width: 3, height: 5 };
    const rows = [
      [0, 10, 20, 30],
      [1, 10, 10, 10],
      [2, 1, 1, 1],
      [3, 5, 5, 5],
      [4, 1, 1, 1],
    ];
    expect(pixels(png(shape, rows))).toEqual([10, 20, 30, 10, 20, 30, 11, 21, 31, 10, 20, 30, 11, 21, 31]);
  });

  it("reads packed greys, palettes, colours with alpha, and 16 bits", () => {
    expect(pixels(png({ width: 3, height: 1, depth: 1 }, [[0, 0b10100000]]))).toEqual([255, 0, 255]);
    expect(pixels(png({ width: 2, height: 1, depth: 4 }, [[0, 0x0f]]))).toEqual([0, 255]);
    const palette = [255, 255, 255, 255, 0, 0];
    expect(pixels(png({ width: 2, height: 1, depth: 8, colour: 3, palette }, [[0, 0, 1]]))).toEqual([255, 76]);
    expect(pixels(png({ width: 1, height: 1, colour: 6 }, [[0, 0, 255, 0, 9]]))).toEqual([150]);
    expect(pixels(png({ width: 1, height: 1, depth: 16 }, [[0, 200, 1]]))).toEqual([200]);
  });

  it("leaves alone what is no PNG, is cut off, interlaced, or declares 2,500,000,000 pixels", () => {
    expect(decodePng(Buffer.from("hello, this is plainly no image at all"))).toBeUndefined();
    const good = png({ width: 2, height: 1 }, [[0, 1, 2]]);
    expect(decodePng(good)).toBeDefined();
    expect(decodePng(good.subarray(0, 45))).toBeUndefined();
    expect(decodePng(png({ width: 2, height: 1, interlace: 1 }, [[0, 1, 2]]))).toBeUndefined();
    expect(decodePng(png({ width: 50_000, height: 50_000 }, [[0]]))).toBeUndefined();
    expect(decodePng(png({ width: 4, height: 4 }, [[0, 1]]))).toBeUndefined();
  });

  it("throws at nothing", () => {
    const good = png({ width: 4, height: 2, colour: 2 }, [new Array(13).fill(0), new Array(13).fill(1)]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        const picture = decodePng(bytes);
        if (picture !== undefined) expect(picture.pixels).toHaveLength(picture.width * picture.height);
      }),
    );
  });
});

const half = { width: 2, height: 2, pixels: Uint8Array.of(0, 255, 0, 255) };

describe("drawing", () => {
  it("keeps the mean brightness when it resamples", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (grey, w, h) => {
          const mean = (values: Iterable<number>): number => {
            const all = [...values];
            return all.reduce((sum, value) => sum + value, 0) / all.length;
          };
          expect(mean(resample({ width: 4, height: 3, pixels: grey }, w, h))).toBeCloseTo(mean(grey), 6);
        },
      ),
    );
  });

  it("uses more ink for brighter fields, in lines half as many as columns", () => {
    expect(drawPicture(half, { columns: 4, colours: false })).toEqual(["  @@", "  @@"]);
  });

  it("uses half blocks in greys where there are colours, and resets them at the end of a line", () => {
    expect(drawPicture(half, { columns: 2, colours: true })).toEqual([
      "\x1b[38;5;16;48;5;16m▀\x1b[38;5;231;48;5;231m▀\x1b[0m",
    ]);
  });

  it("puts as many pictures beside each other as fit, with their captions below", () => {
    const items = ["a", "b", "c"].map((caption) => ({ picture: half, caption: [caption] }));
    expect(drawGallery(items, { columns: 12, colours: false, tile: 4 })).toBe(
      ["    @@    @@", "    @@    @@", "  a     b", "", "    @@", "    @@", "  c"].join("\n"),
    );
    const widest = Math.max(
      ...drawGallery(items, { columns: 80, colours: false })
        .split("\n")
        .map((line) => line.length),
    );
    expect(widest).toBeLessThanOrEqual(80);
  });
});
