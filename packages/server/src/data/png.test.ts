import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { encodePng } from "./png.ts";

describe("encodePng", () => {
  it.each([1, 2, 3, 4])("another decoder reads the same pixels back, with %i channels", async (channels) => {
    const [height, width] = [5, 7];
    const pixels = Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 37) % 256);
    const decoded = await sharp(await encodePng(pixels, [height, width, channels]))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(decoded.info).toMatchObject({ height, width });
    // The decoder may give gray as three equal channels.
    const isGray = channels <= 2;
    const kept = isGray ? [0, decoded.info.channels - 1].slice(0, channels) : [0, 1, 2, 3].slice(0, channels);
    expect([...decoded.data].filter((_, i) => kept.includes(i % decoded.info.channels))).toEqual([...pixels]);
  });

  it("refuses a wrong number of bytes", async () => {
    await expect(encodePng(new Uint8Array(5), [2, 3, 1])).rejects.toThrow("expected 2 x 3 x 1 bytes");
  });
});
