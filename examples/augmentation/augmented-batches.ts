/** @file Batches of changed images, other ones in each epoch. */
import type { LabelledImages } from "../data/images.ts";
import { Random } from "../random.ts";
import type { Change } from "./warp.ts";

/** How to go through the images. */
export interface AugmentedOptions {
  readonly batchSize: number;
  readonly seed: number;
  readonly change: Change;
}

const [orderPurpose, changePurpose] = [1, 2]; // keep the numbers of both apart

/**
 * A stream for `fit`: each epoch goes once through all images in an order of its own, each image changed in a way of its
 * own. Both follow from (seed, epoch, image), so a resumed training sees what an unbroken one would have seen.
 */
export function augmentedBatches({ x, y }: LabelledImages, { batchSize, seed, change }: AugmentedOptions) {
  const [count = 0, ...sample] = x.shape;
  const size = sample.reduce((product, length) => product * length, 1);
  return async function* batches(epoch: number): AsyncGenerator<LabelledImages> {
    const order = new Random(seed, orderPurpose, epoch).order(count);
    for (let at = 0; at < count; at += batchSize) {
      const indices = order.subarray(at, at + batchSize);
      const images = new Uint8Array(indices.length * size);
      for (const [i, index] of indices.entries())
        change(
          x.data.subarray(index * size, (index + 1) * size),
          images.subarray(i * size, (i + 1) * size),
          new Random(seed, changePurpose, epoch, index),
        );
      const labels = Uint8Array.from(indices, (index) => y.data[index] ?? 0);
      yield {
        x: { shape: [indices.length, ...sample], data: images, scale: x.scale },
        y: { shape: [indices.length], data: labels },
      };
    }
  };
}
