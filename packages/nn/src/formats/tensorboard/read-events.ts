/** @file Reading event files: what this package writes, and the scalars of others. */
import { elementsOf } from "../elements.ts";
import { FileFormatError } from "../format-error.ts";
import type { EventTime, SummaryValue } from "./event.ts";
import { readFields } from "./protobuf.ts";
import { readRecords } from "./records.ts";

/** An event of a file. Values of kinds that are not known here are left out. */
export interface ReadEvent extends EventTime {
  /** Of the first event. */
  readonly fileVersion: string | undefined;
  readonly values: ReadonlyMap<string, SummaryValue>;
}

/**
 * Events of a file, in its order; a last one that is not whole yet is left out.
 * @throws FileFormatError when the file is damaged.
 */
export function* readEvents(bytes: Uint8Array): Generator<ReadEvent, void> {
  for (const record of readRecords(bytes)) {
    const fields = new Fields(record);
    const values = fields.all(5).flatMap((summary) => new Fields(summary).all(1).flatMap(readValue));
    const fileVersion = fields.bytes(3);
    yield {
      wallTimeSeconds: fields.number(1),
      step: fields.number(2),
      fileVersion: fileVersion && text(fileVersion),
      values: new Map(values),
    };
  }
}

function readValue(bytes: Uint8Array): [string, SummaryValue][] {
  const fields = new Fields(bytes);
  const value = readSummary(fields);
  return value === undefined ? [] : [[text(fields.bytes(1) ?? new Uint8Array()), value]];
}

function readSummary(fields: Fields): SummaryValue | undefined {
  if (fields.has(2)) return { kind: "scalar", value: fields.number(2) };
  const image = fields.bytes(4);
  if (image !== undefined) return { kind: "image", png: new Fields(image).bytes(4) ?? new Uint8Array() };
  const histogram = fields.bytes(5);
  if (histogram !== undefined) return { kind: "histogram", histogram: readHistogram(new Fields(histogram)) };
  const tensor = fields.bytes(8);
  const string = tensor && new Fields(tensor).bytes(8);
  return string && { kind: "text", text: text(string) };
}

function readHistogram(fields: Fields) {
  const list = (field: number): Float64Array => {
    const bytes = fields.bytes(field) ?? new Uint8Array();
    if (bytes.length % 8 !== 0)
      throw new FileFormatError(
        "TensorBoard event",
        `expected numbers of 8 bytes in a histogram, received ${bytes.length} bytes`,
      );
    return Float64Array.from(elementsOf("TensorBoard event", "float64", bytes));
  };
  return {
    min: fields.number(1),
    max: fields.number(2),
    count: fields.number(3),
    sum: fields.number(4),
    sumOfSquares: fields.number(5),
    limits: list(6),
    counts: list(7),
  };
}

/** The fields of one message by their numbers; of a field said twice the last counts, as protobuf has it. */
class Fields {
  readonly #fields = new Map<number, (number | Uint8Array)[]>();

  constructor(bytes: Uint8Array) {
    for (const { field, value } of readFields(bytes)) {
      const list = this.#fields.get(field);
      if (list === undefined) this.#fields.set(field, [value]);
      else list.push(value);
    }
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  number(field: number): number {
    const value = this.#fields.get(field)?.at(-1);
    return typeof value === "number" ? value : 0;
  }

  bytes(field: number): Uint8Array | undefined {
    return this.all(field).at(-1);
  }

  all(field: number): Uint8Array[] {
    return (this.#fields.get(field) ?? []).filter((value) => value instanceof Uint8Array);
  }
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FileFormatError("TensorBoard event", "expected UTF-8 text, received other bytes", { cause });
  }
}
