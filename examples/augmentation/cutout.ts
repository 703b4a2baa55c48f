import type { Random } from "../random.ts";
import type { ImageSize } from "./warp.ts";

/**
 * Blackens a square of `side` pixels around a random pixel, in place; at the edge less of it is in the image.
 * Source: DeVries and Taylor 2017, arXiv:1708.04552.
 */
export function cutout({ height, width, channels }: ImageSize, side: number) {
  return (image: Uint8Array, random: Random): void => {
    const top = random.below(height) - Math.floor(side / 2);
    const left = random.below(width) - Math.floor(side / 2);
    const right = Math.min(width, left + side);
    for (let y = Math.max(0, top); y < Math.min(height, top + side); y++)
      image.fill(0, (y * width + Math.max(0, left)) * channels, (y * width + right) * channels);
  };
}
