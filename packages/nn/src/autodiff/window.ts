/** @file Windows that slide over spatial axes: what convolutions and pools share, with any number of axes. */
import type { GradientCall } from "./rule.ts";

/** One spatial axis under a window that slides along it. */
export interface WindowAxis {
  /** Elements of the image. */
  readonly size: number;
  /** Elements of the window. */
  readonly window: number;
  /** Places where the window stands: elements of the result. */
  readonly stops: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before the first element. Negative: so many elements are left out. */
  readonly before: number;
  /** Padding behind the last element. Negative: so many elements are left out. */
  readonly after: number;
}

/** Attributes that say how a window slides, as ONNX names them; one number an axis, pads [starts..., ends...]. */
export interface WindowSettings {
  readonly auto_pad: string;
  readonly strides: readonly number[] | undefined;
  readonly dilations?: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
}

/** Elements that the window covers from its first to its last. */
export const reachOf = ({ window, dilation }: WindowAxis): number => dilation * (window - 1) + 1;

/** Elements behind the last window that no window reaches, padding counted; negative where it hangs over (ceil_mode). */
export const leftOver = (axis: WindowAxis): number =>
  axis.size + axis.before + axis.after - (axis.stops - 1) * axis.stride - reachOf(axis);

/**
 * The axes of a window with the padding written out, whatever auto_pad says.
 *
 * - `image`, `window`, `stops`: sizes of the spatial axes of the image, the window and the places where it stands.
 */
export function windowAxes(
  call: GradientCall,
  settings: WindowSettings,
  sizes: { image: readonly number[]; window: readonly number[]; stops: readonly number[] },
): WindowAxis[] {
  const rank = sizes.image.length;
  return sizes.image.map((size, i) => {
    const unpadded: WindowAxis = {
      size,
      window: sizes.window[i] ?? 1,
      stops: sizes.stops[i] ?? 1,
      stride: settings.strides?.[i] ?? 1,
      dilation: settings.dilations?.[i] ?? 1,
      before: 0,
      after: 0,
    };
    const pads = { before: settings.pads?.[i] ?? 0, after: settings.pads?.[i + rank] ?? 0 };
    const padding = paddings[settings.auto_pad];
    if (padding === undefined)
      throw call.unsupported(`expected auto_pad ${Object.keys(paddings).join(", ")}, received "${settings.auto_pad}"`);
    return { ...unpadded, ...padding(Math.max(0, -leftOver(unpadded)), pads) };
  });
}

/** Attributes that say how a ConvTranspose's window slides. */
export interface TransposedSettings extends WindowSettings {
  readonly output_padding: readonly number[] | undefined;
  readonly output_shape: readonly number[] | undefined;
}

/**
 * The axes of the convolution that a ConvTranspose undoes: `image` is its output, `stops` are its input. Padding behind
 * the end is no more than the last window needs; what lies behind that window is left over.
 */
export function transposedAxes(
  call: GradientCall,
  settings: TransposedSettings,
  sizes: { image: readonly number[]; window: readonly number[]; stops: readonly number[] },
): WindowAxis[] {
  const isFree = settings.output_shape === undefined && !settings.auto_pad.startsWith("SAME");
  const axes = windowAxes(call, { ...settings, auto_pad: isFree ? settings.auto_pad : "VALID" }, sizes);
  return axes.map((axis, i) => {
    // where the size of the output was asked for, the runtime pads with the rest: the larger half comes first
    const missing = Math.max(0, (settings.output_padding?.[i] ?? 0) - leftOver(axis));
    const half = settings.auto_pad === "SAME_UPPER" ? Math.floor(missing / 2) : Math.ceil(missing / 2);
    const placed = { ...axis, before: isFree ? axis.before : half, after: 0 };
    return { ...placed, after: Math.max(0, -leftOver(placed)) };
  });
}

interface Padding {
  readonly before: number;
  readonly after: number;
}

/** Padding of an axis that lacks so many elements, by auto_pad. */
const paddings: Readonly<Record<string, (missing: number, given: Padding) => Padding>> = {
  NOTSET: (_missing, given) => given,
  VALID: () => ({ before: 0, after: 0 }),
  SAME_UPPER: (missing) => ({ before: Math.floor(missing / 2), after: Math.ceil(missing / 2) }),
  SAME_LOWER: (missing) => ({ before: Math.ceil(missing / 2), after: Math.floor(missing / 2) }),
};

/** Pads as ONNX writes them: all starts, then all ends. */
export const padsOf = (axes: readonly WindowAxis[]): number[] => [
  ...axes.map(({ before }) => before),
  ...axes.map(({ after }) => after),
];

/** Positions of the spatial axes behind batch and channels. */
export const spatialAxes = (axes: readonly WindowAxis[], from = 2): number[] => axes.map((_, i) => i + from);

/** Product of sizes; 1 for none. */
export const volume = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
