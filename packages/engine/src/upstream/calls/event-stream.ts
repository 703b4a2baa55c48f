/** @file Server-sent events out of bytes, however these are cut. Source: WHATWG HTML, "Server-sent events". */

/** One event. */
export interface ServerEvent {
  /** "message" unless the server names it otherwise. */
  readonly type: string;
  readonly data: string;
}

const carriageReturn = 13;
const lineFeed = 10;

/**
 * Takes the bytes of a stream piece by piece. Ends of lines are CR, LF or CRLF, also when cut in two; lines that are comments
 * or unknown fields are passed over; several lines of data are one event. A field named `error` is an event of that type: older
 * llama.cpp servers write failures so.
 */
export class EventStreamParser {
  readonly #maxEventBytes: number;
  readonly #decoder = new TextDecoder();
  #line: Uint8Array[] = [];
  #eventBytes = 0;
  #type = "";
  #data: string[] = [];
  #wasCarriageReturn = false;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  /** The events that these bytes complete. @throws RangeError when one is larger than allowed. */
  *push(bytes: Uint8Array): Generator<ServerEvent> {
    let from = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === lineFeed && this.#wasCarriageReturn) {
        this.#wasCarriageReturn = false;
        from = i + 1;
        continue;
      }
      this.#wasCarriageReturn = byte === carriageReturn;
      if (byte !== lineFeed && byte !== carriageReturn) continue;
      this.#keep(bytes.subarray(from, i));
      from = i + 1;
      const event = this.#endLine();
      if (event !== undefined) yield event;
    }
    this.#keep(bytes.subarray(from));
  }

  /** The event that the end of the stream completes. The standard drops it; servers that forget the last empty line mean it. */
  end(): ServerEvent | undefined {
    return (this.#line.length > 0 ? this.#endLine() : undefined) ?? this.#endEvent();
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#eventBytes += part.length;
    if (this.#eventBytes > this.#maxEventBytes)
      throw new RangeError(`an event of at most ${this.#maxEventBytes} bytes, received more`);
    // A copy: the platform may use the memory again, and one line would hold a whole read.
    this.#line.push(part.slice());
  }

  #endLine(): ServerEvent | undefined {
    // It drops the mark that a stream may begin with.
    const line = this.#decoder.decode(this.#line.length === 1 ? this.#line[0] : Buffer.concat(this.#line));
    this.#line = [];
    if (line === "") return this.#endEvent();
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (name === "data" || name === "error") this.#data.push(value);
    if (name === "event") this.#type = value;
    if (name === "error") this.#type = "error";
    // Comments keep a connection alive, at any length in sum.
    if (name === "" && this.#data.length === 0) this.#eventBytes = 0;
    return undefined;
  }

  #endEvent(): ServerEvent | undefined {
    const event = { type: this.#type || "message", data: this.#data.join("\n") };
    const isEmpty = this.#data.length === 0;
    this.#type = "";
    this.#data = [];
    this.#eventBytes = 0;
    return isEmpty ? undefined : event;
  }
}
