/** @file Sizes of one sample as layers see them. */
import { ShapeError } from "@gristmill/onnx";

/** Elements along one axis; null when each batch may have its own: the steps of a sequence. */
export type Size = number | null;

/** Sizes of one sample, without the batch. No size is null in a program that trains. */
export type SampleShape = readonly Size[];

/** "[null, 8]" */
export const formatSample = (shape: SampleShape): string => `[${shape.map(String).join(", ")}]`;

/** True when two shapes are the same; null equals null alone. */
export const isSameSample = (a: SampleShape, b: SampleShape): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/** True when samples of `actual` may enter where `declared` stands: null takes any size. */
export const fitsSample = (declared: SampleShape, actual: SampleShape): boolean =>
  declared.length === actual.length && declared.every((size, axis) => size === null || size === actual[axis]);

/** A shape whose every size is known. @throws ShapeError otherwise: the layer needs the size itself. */
export function knownShape(shape: SampleShape, where: string): readonly number[] {
  return shape.map((size) => {
    if (size !== null) return size;
    throw new ShapeError(
      where,
      `expected samples whose every size is known, received ${formatSample(shape)}; give the model's input a number in place of null, or put a layer before it that takes the axis away (a recurrent layer without returnSequences, global pooling)`,
    );
  });
}

/** One size that must be known, such as the inputs of a kernel. @throws ShapeError naming the axis otherwise. */
export function knownSize(shape: SampleShape, axis: number, where: string): number {
  const size = shape.at(axis);
  if (typeof size === "number") return size;
  throw new ShapeError(
    where,
    size === null
      ? `expected a known size on axis ${axis} of ${formatSample(shape)}, received null`
      : `expected samples with an axis ${axis}, received ${formatSample(shape)}`,
  );
}
