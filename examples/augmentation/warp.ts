/** @file Images moved, turned and resized a little: what the class does not depend on. */
import type { Random } from "../random.ts";

/** The most that is done to an image. Everything is drawn evenly between its negative and itself. */
export interface WarpLimits {
  /** Pixels, across and down. */
  readonly shift: number;
  /** Degrees. */
  readonly turn: number;
  /** Share of the size: 0.1 is from 90 % to 110 %. */
  readonly resize: number;
  /** Whether half of the images are mirrored, left to right. */
  readonly mirrors: boolean;
}

/** A change of one image: `from` and `into` have height x width x channels bytes and must not overlap. */
export type Change = (from: Uint8Array, into: Uint8Array, random: Random) => void;

/** Sizes of an image whose bytes lie row by row, the channels of a pixel together. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Draws a warp for each image. Between pixels it interpolates linearly; what comes from outside is 0. */
export function warp(size: ImageSize, limits: WarpLimits): Change {
  const { height, width, channels } = size;
  return (from, into, random) => {
    const angle = (random.between(-limits.turn, limits.turn) * Math.PI) / 180;
    const zoom = 1 / (1 + random.between(-limits.resize, limits.resize));
    const down = random.between(-limits.shift, limits.shift);
    const across = random.between(-limits.shift, limits.shift);
    const mirror = limits.mirrors && random.next() < 0.5 ? -1 : 1;
    const cos = Math.cos(angle) * zoom;
    const sin = Math.sin(angle) * zoom;
    const middleY = (height - 1) / 2;
    const middleX = (width - 1) / 2;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const toY = y - middleY - down;
        const toX = (x - middleX - across) * mirror;
        const place = { y: middleY + cos * toY + sin * toX, x: middleX - sin * toY + cos * toX };
        const at = (y * width + x) * channels;
        for (let channel = 0; channel < channels; channel++) into[at + channel] = pixelAt(from, size, place, channel);
      }
  };
}

/** The brightness at a place between pixels, rounded. */
function pixelAt(image: Uint8Array, size: ImageSize, place: { y: number; x: number }, channel: number): number {
  const { height, width, channels } = size;
  const top = Math.floor(place.y);
  const left = Math.floor(place.x);
  let sum = 0;
  for (let row = Math.max(top, 0); row <= Math.min(top + 1, height - 1); row++)
    for (let column = Math.max(left, 0); column <= Math.min(left + 1, width - 1); column++) {
      const share = (1 - Math.abs(place.y - row)) * (1 - Math.abs(place.x - column));
      sum += share * (image[(row * width + column) * channels + channel] ?? 0);
    }
  return Math.round(sum);
}
