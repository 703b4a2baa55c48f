/** @file Pictures of shapes, generated: as many as one likes, each from its number alone. */
import { Random } from "../random.ts";

/** Pixels across and down; three bytes a pixel. */
export const generatedSide = 96;
/** Bytes of a picture. */
export const generatedBytes = generatedSide * generatedSide * 3;

/** Whether a point belongs to the shape; the shape reaches from -1 to 1. */
type Shape = (x: number, y: number) => boolean;

const shapes: Readonly<Record<string, Shape>> = {
  disc: (x, y) => x * x + y * y < 1,
  ring: (x, y) => x * x + y * y < 1 && x * x + y * y > 0.4,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.8,
  triangle: (x, y) => y < 0.8 && y > 2 * Math.abs(x) - 0.9,
  cross: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 1 && Math.min(Math.abs(x), Math.abs(y)) < 0.25,
  star: (x, y) => Math.sqrt(Math.abs(x)) + Math.sqrt(Math.abs(y)) < 1,
};

/** The classes, in order. */
export const shapeNames = Object.keys(shapes);
const listed = Object.values(shapes);

/** Grain of the pictures, as a share of full brightness each way. */
const grain = 0.15;

/** Draws picture `number` of a seed: a shape of any colour, size, place and angle on another colour, with grain. @returns its class. */
export function drawShape(seed: number, number: number, into: Uint8Array): number {
  const random = new Random(seed, number);
  const label = random.below(listed.length);
  const shape = listed[label] ?? (() => false);
  const colours = Array.from({ length: 6 }, () => random.next());
  const radius = generatedSide * random.between(0.15, 0.4);
  const [middleX, middleY] = [generatedSide * random.between(0.35, 0.65), generatedSide * random.between(0.35, 0.65)];
  const angle = random.between(-0.4, 0.4); // radians; a quarter turn would make other shapes of some
  const [cos, sin] = [Math.cos(angle) / radius, Math.sin(angle) / radius];
  let noise = number * 2654435761 + seed;
  for (let y = 0, at = 0; y < generatedSide; y++)
    for (let x = 0; x < generatedSide; x++) {
      const [dx, dy] = [x - middleX, y - middleY];
      const first = shape(dx * cos + dy * sin, dy * cos - dx * sin) ? 0 : 3;
      noise = (Math.imul(noise, 1664525) + 1013904223) | 0; // Numerical Recipes' generator: grain needs no better
      const light = ((noise >> 8) / 2 ** 23) * grain;
      for (let channel = 0; channel < 3; channel++)
        into[at++] = 255 * Math.min(1, Math.max(0, (colours[first + channel] ?? 0) + light));
    }
  return label;
}
