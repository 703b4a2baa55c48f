/** @file The sizes of one convolution, from which its gradients are written and their recipes chosen. */

/** A 2-D convolution, channels first. */
export interface ConvolutionShape {
  /** [batch, channels, height, width] */
  readonly x: readonly [number, number, number, number];
  /** [filters, channels / groups, kernel height, kernel width] */
  readonly w: readonly [number, number, number, number];
  /** [height, width] of the result's maps. */
  readonly map: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** [top, left, bottom, right] */
  readonly pads: readonly [number, number, number, number];
  readonly groups: number;
}

/** Ways to the gradient of the image. */
export type InputRecipe = "turnedConvolution" | "transposedConvolution";

/**
 * A convolution with the turned kernel is the faster one at stride 1 (12.7 against 20.6 ms for 64 to 64 channels at
 * 32 x 32, batch 32); everything else is what ConvTranspose does.
 */
export function inputRecipe(shape: ConvolutionShape): InputRecipe {
  const isStride1 = shape.strides[0] === 1 && shape.strides[1] === 1;
  // the turned kernel's padding is what is left of the window; more padding than window leaves none
  const fits = turnedPads(shape).every((pad) => pad >= 0);
  const hasManyChannels = shape.x[1] / shape.groups > 4;
  return isStride1 && fits && hasManyChannels ? "turnedConvolution" : "transposedConvolution";
}

/** Padding of the turned convolution, [top, left, bottom, right]. */
export const turnedPads = ({ w, dilations, pads }: ConvolutionShape): readonly [number, number, number, number] => {
  const tall = dilations[0] * (w[2] - 1);
  const wide = dilations[1] * (w[3] - 1);
  return [tall - pads[0], wide - pads[1], tall - pads[2], wide - pads[3]];
};

/** Ways to the gradient of the kernel. */
export type KernelRecipe = "swappedConvolution" | "perImage" | "columns" | "shifted";

/**
 * Measured at batch 32 (milliseconds; 2 cores, AVX-512): one channel to 32 at 28 x 28: per image 0.3, swapped 0.5;
 * 64 to 64 at 32 x 32: shifted 21.8, swapped 45; 256 to 256 at 8 x 8: columns 13.6, swapped 24; depthwise: swapped 13.1.
 */
export function kernelRecipe({ x, w, map, strides, groups }: ConvolutionShape): KernelRecipe {
  if (groups > 1) return "swappedConvolution";
  if (x[1] * w[2] * w[3] <= 32) return "perImage";
  const isWide = map[0] * map[1] >= 256 && strides[0] === 1 && strides[1] === 1;
  return isWide ? "shifted" : "columns";
}
