/** @file What TensorBoard shows, as messages. Source: TensorFlow's event.proto, summary.proto, tensor.proto. */
import { FileFormatError } from "../format-error.ts";
import type { Histogram } from "./histogram.ts";
import { bytesField, doubleField, doublesField, floatField, intField, textField } from "./protobuf.ts";

/** One thing to show. */
export type SummaryValue =
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "histogram"; readonly histogram: Histogram }
  /** Markdown. */
  | { readonly kind: "text"; readonly text: string }
  /** A whole PNG file. */
  | { readonly kind: "image"; readonly png: Uint8Array };

/** When something was noted. */
export interface EventTime {
  /** Of the training, from 0. */
  readonly step: number;
  /** Seconds since 1970. */
  readonly wallTimeSeconds: number;
}

/** The first event of each file. */
export const versionEvent = (wallTimeSeconds: number): Uint8Array[] => [
  doubleField(1, wallTimeSeconds),
  textField(3, "brain.Event:2"),
];

/** An event with values by their tags; a tag's part before "/" is the group in which TensorBoard shows it. */
export function summaryEvent(
  { step, wallTimeSeconds }: EventTime,
  values: ReadonlyMap<string, SummaryValue>,
): Uint8Array[] {
  if (!Number.isSafeInteger(step) || step < 0)
    throw new FileFormatError("TensorBoard event", `expected step to be a whole number from 0, received ${step}`);
  if (!Number.isFinite(wallTimeSeconds))
    throw new FileFormatError(
      "TensorBoard event",
      `expected wallTimeSeconds to be a number, received ${wallTimeSeconds}`,
    );
  const summary = [...values].map(([tag, value]) => bytesField(1, textField(1, tag), ...encodeValue(tag, value)));
  return [doubleField(1, wallTimeSeconds), intField(2, step), bytesField(5, ...summary)];
}

function encodeValue(tag: string, value: SummaryValue): Uint8Array[] {
  if (tag === "") throw new FileFormatError("TensorBoard event", "expected a tag of at least one letter");
  switch (value.kind) {
    case "scalar":
      return [floatField(2, value.value)];
    case "histogram":
      return [bytesField(5, ...histogram(value.histogram))];
    case "text":
      return [bytesField(8, ...textTensor(value.text)), bytesField(9, bytesField(1, textField(1, "text")))];
    case "image":
      return [bytesField(4, ...image(tag, value.png))];
  }
}

const histogram = ({ min, max, count, sum, sumOfSquares, limits, counts }: Histogram): Uint8Array[] => [
  ...[min, max, count, sum, sumOfSquares].map((value, i) => doubleField(i + 1, value)),
  doublesField(6, limits),
  doublesField(7, counts),
];

/** DT_STRING (7), shape [1]. */
const textTensor = (text: string): Uint8Array[] => [
  intField(1, 7),
  bytesField(2, bytesField(2, intField(1, 1))),
  textField(8, text),
];

/** Channels of PNG's colour types: grey, colour, palette, grey with alpha, colour with alpha. */
const channels: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 };

function image(tag: string, png: Uint8Array): Uint8Array[] {
  const isPng = png.length > 26 && [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => png[i] === byte);
  const depth = channels[png[25] ?? -1];
  if (!isPng || depth === undefined)
    throw new FileFormatError(`TensorBoard image "${tag}"`, `expected a PNG file, received ${png.length} other bytes`);
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return [intField(1, view.getUint32(20)), intField(2, view.getUint32(16)), intField(3, depth), bytesField(4, png)];
}
