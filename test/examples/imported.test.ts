import { expect, it } from "vitest";
import { digitLines, lineSize } from "../../examples/imported/digit-lines.ts";

it("lines of digits stand as their class says", () => {
  // one digit of which only the top left pixel is ink
  const pixel = Uint8Array.from({ length: 28 * 28 }, (_, i) => (i === 0 ? 255 : 0));
  const images = { x: { shape: [1, 28, 28, 1], data: pixel, scale: 1 }, y: { shape: [1], data: Uint8Array.of(7) } };
  const { x, y } = digitLines(images, 60, 3);
  const { height, width } = lineSize;
  expect(x.shape).toEqual([60, 1, height, width]);
  expect(new Set(y.data)).toEqual(new Set([0, 1, 2, 3]));
  for (const [line, direction] of y.data.entries()) {
    const paper = x.data.subarray(line * height * width, (line + 1) * height * width);
    const ink = [...paper.entries()].filter(([, light]) => light === 0).map(([at]) => at);
    expect(ink).toHaveLength(width / 28);
    const [first = 0] = ink;
    const [down, across] = [Math.floor(first / width), first % width];
    expect(down < height / 2).toBe((direction & 1) === 0);
    expect(across % 28 === 0).toBe(direction === 0 || direction === 3); // half a turn and a mirror keep the left side
  }
});
