/** @file Lines of handwritten digits, as written, upside down, mirrored, or both. */
import type { LabelledImages } from "../data/images.ts";
import { Random } from "../random.ts";

/** Sizes of a line: four digits of 28 x 28 with a margin above and below; the network needs 48 rows. */
export const lineSize = { height: 48, width: 112 };
const side = 28;
const top = 10;

/** The classes, in order: bit 0 is upside down, bit 1 mirrored. */
export const directions = ["as written", "upside down", "mirrored", "mirrored and upside down"];

/** Lines with their directions. */
export interface DigitLines {
  /** [count, 1, height, width], ink dark on white paper. */
  readonly x: { readonly shape: readonly number[]; readonly data: Uint8Array };
  /** [count] */
  readonly y: { readonly shape: readonly number[]; readonly data: Uint8Array };
}

/** Makes lines of digits drawn from some images. */
export function digitLines({ x, y }: LabelledImages, count: number, seed: number): DigitLines {
  const { height, width } = lineSize;
  const data = new Uint8Array(count * height * width).fill(255);
  const labels = new Uint8Array(count);
  for (let line = 0; line < count; line++) {
    const random = new Random(seed, line);
    const direction = random.below(directions.length);
    labels[line] = direction;
    const [isDown, isMirrored] = [(direction & 1) === 1, (direction & 2) === 2];
    const paper = data.subarray(line * height * width, (line + 1) * height * width);
    for (let place = 0; place < width / side; place++) {
      const digit = random.below(y.data.length) * side * side;
      for (let row = 0; row < side; row++)
        for (let column = 0; column < side; column++) {
          const [down, across] = [top + row, place * side + column];
          // half a turn changes both axes, a mirror only one
          const toDown = isDown ? height - 1 - down : down;
          const toAcross = isDown !== isMirrored ? width - 1 - across : across;
          paper[toDown * width + toAcross] = 255 - (x.data[digit + row * side + column] ?? 0);
        }
    }
  }
  return { x: { shape: [count, 1, height, width], data }, y: { shape: [count], data: labels } };
}
