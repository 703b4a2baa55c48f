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
 * A convolution with the turned kernel is the faster one at stride 1 (12.7 against 20.6 ms for 64 to 64 channels at
 * 32 x 32, batch 32); everything else is what ConvTranspose does.
 */
export function inputRecipe({ axes, channels, groups }: ConvolutionShape): InputRecipe {
  const isStride1 = axes.every(({ stride }) => stride === 1);
  // the turned kernel's padding is what is left of the window; more padding than window leaves none
  const fits = axes.map(turnedAxis).every(({ before, after }) => before >= 0 && after >= 0);
  const hasManyChannels = channels / groups > 4;
  return isStride1 && fits && hasManyChannels ? "turnedConvolution" : "transposedConvolution";
}

/** The axis of the turned convolution: over dy, padded with what is left of the window. */
export function turnedAxis(axis: WindowAxis): WindowAxis {
  const left = reachOf(axis) - 1;
  return { ...axis, size: axis.stops, stops: axis.size, before: left - axis.before, after: left - axis.after };
}

/** Ways to the gradient of the kernel. */
export type KernelRecipe = "swappedConvolution" | "perImage" | "columns" | "shifted";

/**
 * Measured at batch 32 (milliseconds; 2 cores, AVX-512): one channel to 32 at 28 x 28: per image 0.3, swapped 0.5;
 * 64 to 64 at 32 x 32: shifted 21.8, swapped 45; 256 to 256 at 8 x 8: columns 13.6, swapped 24; depthwise: swapped 13.1.
 */
export function kernelRecipe({ channels, groups, axes }: ConvolutionShape): KernelRecipe {
  if (groups > 1) return "swappedConvolution";
  if (channels * volume(axes.map(({ window }) => window)) <= 32) return "perImage";
  const isWide = volume(axes.map(({ stops }) => stops)) >= 256 && axes.every(({ stride }) => stride === 1);
  return isWide ? "shifted" : "columns";
}
