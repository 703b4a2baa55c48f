/** @file Weights that lie beside a model: where the model says they are. Bytes come from an `ExternalData` that the caller gives. */
import { OnnxFormatError } from "../errors.ts";

/** A range of a file beside the model. */
export interface ExternalPlace {
  /** Path relative to the model's folder. */
  readonly location: string;
  /** Where the range begins, in bytes. */
  readonly offset: number;
  /** Bytes of the range; to the end of the file when not said. */
  readonly length: number | undefined;
}

/** A range that is written: its length is known. */
export interface WeightPlace extends ExternalPlace {
  readonly length: number;
}

/** Where the bytes of external weights come from. */
export interface ExternalData {
  /**
   * Checks a range, before memory is taken for it: that the file may be read, holds it, and that the limits allow it.
   * @param bytes what the tensor's type and sizes need
   * @throws OnnxFormatError
   */
  claim(where: string, place: ExternalPlace, bytes: number): void;
  /** Fills `into` from the start of a claimed range. @throws OnnxFormatError */
  read(where: string, place: ExternalPlace, into: Uint8Array): void;
}

type Entry = { readonly key: string; readonly value: string };

/**
 * The range that a tensor's entries name. Keys other than location, offset and length (such as checksum) are passed over.
 * @throws OnnxFormatError when there is no location, or a number is none.
 */
export function externalPlace(where: string, entries: readonly Entry[]): ExternalPlace {
  const values = new Map(entries.map(({ key, value }) => [key, value]));
  const location = values.get("location");
  if (location === undefined) throw new OnnxFormatError(where, "external data without a location");
  const offset = wholeNumber(where, "offset", values.get("offset")) ?? 0;
  return { location, offset, length: wholeNumber(where, "length", values.get("length")) };
}

function wholeNumber(where: string, key: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value))
    throw new OnnxFormatError(
      where,
      `expected a whole number for ${key} of external data, received "${text.slice(0, 40)}"`,
    );
  return value;
}
