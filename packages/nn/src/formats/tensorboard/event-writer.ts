/** @file Event files, which TensorBoard finds in a folder and follows while they grow. */
import { type ByteSink, joined } from "../byte-sink.ts";
import { type EventTime, type SummaryValue, summaryEvent, versionEvent } from "./event.ts";
import { frameRecord } from "./records.ts";

/** Who writes a file, so that two never share one. */
export interface EventFileOrigin {
  /** Seconds since 1970. */
  readonly startSeconds: number;
  readonly host: string;
  readonly processId: number;
  /** Of the files of this process. */
  readonly count: number;
}

/** Name of an event file: TensorBoard reads files with "tfevents" in their name, in the order of their names. */
export function eventFileName({ startSeconds, host, processId, count }: EventFileOrigin): string {
  const start = String(Math.floor(startSeconds)).padStart(10, "0");
  // a host's name becomes part of a file's
  return `events.out.tfevents.${start}.${host.replaceAll(/[^A-Za-z0-9.-]/g, "_")}.${processId}.${count}`;
}

/** Appends events. Each is one write, and with the sink when its promise is kept; calls may overlap. */
export class EventWriter {
  readonly #sink: ByteSink;
  #last: Promise<void> = Promise.resolve();

  /** Use `EventWriter.start`. */
  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Begins a new file. `wallTimeSeconds` is the time now, in seconds since 1970. */
  static async start(sink: ByteSink, wallTimeSeconds: number): Promise<EventWriter> {
    const writer = new EventWriter(sink);
    await writer.#append(versionEvent(wallTimeSeconds));
    return writer;
  }

  /**
   * Notes values by their tags (`loss`, `weights/dense_1`). Numbers are kept as float32.
   * @throws FileFormatError for a step or a time that is none, an empty tag, an image that is no PNG.
   */
  async write(
    time: EventTime,
    values: Readonly<Record<string, SummaryValue>> | ReadonlyMap<string, SummaryValue>,
  ): Promise<void> {
    const map = values instanceof Map ? values : new Map(Object.entries(values));
    await this.#append(summaryEvent(time, map));
  }

  /** One after the other: half a record between two others would end the file for every reader. */
  #append(parts: readonly Uint8Array[]): Promise<void> {
    const writing = this.#last.then(() => this.#sink.write(frameRecord(joined(parts))));
    // the next one is written also when this one failed, whose caller is told
    this.#last = writing.catch(() => undefined);
    return writing;
  }
}
