/** @file The sizes of one convolution, from which its gradients are written and their recipes chosen. */
import { reachOf, volume, type WindowAxis } from "./window.ts";

/** A convolution on any number of spatial axes, channels first: x [batch, channels, ...], w [filters, channels / groups, ...]. */
export interface ConvolutionShape {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly groups: number;
  readonly axes: readonly WindowAxis[];
}

/** Ways to the gradient of the image. */
export type InputRecipe = "turnedConvolution" | "transposedConvolution";

/**
 * A convolution with the turned kernel is the faster one at stride 1, but for images of few channels; everything else is
 * what ConvTranspose does. Measured by convolution-recipes.bench.ts (milliseconds of one thread, least of several, other
 * work on the machine; turned, transposed): 64 to 64 channels at 32 x 32, batch 32: 39, 63; 3 to 64: 9.6, 1.8; depthwise,
 * 128 at 16 x 16: 5.4, 15.6; 1-D, 128 of 128 with a window of 5: 5.9, 16; depthwise: 1.2, 15; 3-D, 64 at 8³: 6.1, 27.
 */
export function inputRecipe({ axes, channels }: ConvolutionShape): InputRecipe {
  const isStride1 = axes.every(({ stride }) => stride === 1);
  // the turned kernel's padding is what is left of the window; more padding than window leaves none
  const fits = axes.map(turnedAxis).every(({ before, after }) => before >= 0 && after >= 0);
  return isStride1 && fits && channels > 4 ? "turnedConvolution" : "transposedConvolution";
}

/** The axis of the turned convolution: over dy, padded with what is left of the window. */
export function turnedAxis(axis: WindowAxis): WindowAxis {
  const left = reachOf(axis) - 1;
  return { ...axis, size: axis.stops, stops: axis.size, before: left - axis.before, after: left - axis.after };
}

/** Ways to the gradient of the kernel. */
export type KernelRecipe = "swappedConvolution" | "perImage" | "columns" | "shifted";

/**
 * Measured as above (swapped, per image, columns, shifted), batch 32. 1 to 32 channels at 28 x 28: 0.9, 0.6, 0.8, 2.9; 3 to
 * 64 at 32 x 32: 8.8, 1.9, 2.5, 17; 16 to 16: 14, 10, 6.5, 5; 64 to 64: 249, 87, 52, 31; 128 at 16 x 16: 120, 80, 49, 35;
 * 256 at 8 x 8: 95, 87, 33, 50; 512 at 4 x 4: columns 29, shifted 100. 1-D, 64 of 200: 13, 2.6, 2.5, 2.1; with stride 2,
 * 128 of 256: 32, 11, 11, 10. 3-D, 64 at 8³, batch 4: 11, 10, 12.5, 8.5. So one product for each place of the window pays
 * where the maps have many places for each channel; the matrix of all windows is written otherwise. Groups: 64 in 4 at
 * 16 x 16: swapped 21, per image 17; depthwise, 128 at 16 x 16: 32, 37.
 */
export function kernelRecipe({ batch, channels, filters, groups, axes }: ConvolutionShape): KernelRecipe {
  if (groups > 1) return channels / groups >= 16 ? "perImage" : "swappedConvolution";
  if (channels * volume(axes.map(({ window }) => window)) <= 32) return "perImage";
  const places = batch * volume(axes.map(({ stops }) => stops));
  const isWide = channels >= 16 && places >= 16 * Math.max(channels, filters);
  return isWide ? "shifted" : "columns";
}
