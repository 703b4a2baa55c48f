/** @file Server-sent events, as the WHATWG HTML standard (section 9.2.6) reads them. Pure but for the bytes it is fed. */

/** One event. */
export interface ServerSentEvent {
  /** The last id seen, which outlives events without one. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Longest line or event kept, in characters: a server that never ends one must not fill our memory. */
const longestEvent = 16 * 1024 * 1024;

/** Turns text, however it was cut, into events. An event that the stream's end cuts off is dropped, as the standard says. */
export class SseParser {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #size = 0;
  #id: string;
  #atStart = true;
  /** Milliseconds that the server asks us to wait before we connect again. */
  retryMs: number | null = null;

  /** @param lastEventId the id that events have before the stream names one. */
  constructor(lastEventId = "") {
    this.#id = lastEventId;
  }

  /** Feeds text; returns the events that it completes. @throws RangeError when one event grows beyond 16 million characters. */
  push(text: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    let rest = this.#rest + text;
    if (this.#atStart && rest !== "") {
      this.#atStart = false;
      if (rest.startsWith("\uFEFF")) rest = rest.slice(1);
    }
    let start = 0;
    for (;;) {
      const end = lineEnd(rest, start);
      if (end === undefined) break;
      const event = this.#line(rest.slice(start, end.at));
      if (event !== undefined) events.push(event);
      start = end.next;
    }
    this.#rest = rest.slice(start);
    if (this.#rest.length + this.#size > longestEvent)
      throw new RangeError(`SSE: expected an event of at most ${longestEvent} characters, received more`);
    return events;
  }

  #line(line: string): ServerSentEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined; // a comment, sent to keep the connection alive
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") {
      this.#data.push(value);
      this.#size += value.length;
    } else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    return undefined;
  }

  #dispatch(): ServerSentEvent | undefined {
    const data = this.#data;
    const event = this.#event;
    this.#data = [];
    this.#event = "";
    this.#size = 0;
    return data.length === 0 ? undefined : { id: this.#id, event: event || "message", data: data.join("\n") };
  }
}

/** The next line's end; undefined when it is not here yet. A last "\r" waits: a "\n" may follow it. */
function lineEnd(text: string, from: number): { at: number; next: number } | undefined {
  const match = /\r\n|\n|\r(?!$)/g;
  match.lastIndex = from;
  const found = match.exec(text);
  return found === null ? undefined : { at: found.index, next: found.index + found[0].length };
}

/** Events of a response's body. Cancels the body when the reader leaves. */
export async function* readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  parser: SseParser,
): AsyncGenerator<ServerSentEvent> {
  for await (const text of body.pipeThrough(new TextDecoderStream())) yield* parser.push(text);
}
