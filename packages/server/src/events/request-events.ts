/** @file A request's events, in any of the HTTP modes of CloudEvents 1.0: structured, batched, binary. Pure. */
import { AppError, cloudEventTypes, eventLimits } from "@gristmill/contract";
import { unstorable } from "./json-bounds.ts";

/** What a request brings. */
export interface EventRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** undefined: no body. */
  readonly body: Uint8Array | undefined;
}

/** One event as it was sent, not checked yet but storable. */
export interface SentEvent {
  readonly value: unknown;
  /** Its JSON. */
  readonly text: string;
}

/**
 * Takes a request apart. What can't even be kept (broken JSON, too much of it) refuses the whole request.
 * @throws AppError `request.invalid`, `request.too_large`, `request.unsupported_media_type`.
 */
export function sentEvents({ headers, body }: EventRequest): readonly SentEvent[] {
  const type = essence(headers["content-type"]);
  if (type === cloudEventTypes.batch) {
    const batch = parseJson(body);
    if (!Array.isArray(batch)) throw invalid("body: expected a list of events, as the content type says");
    if (batch.length > eventLimits.batch)
      throw new AppError("request.too_large", `A batch holds at most ${eventLimits.batch} events.`);
    return batch.map((event, index) => bounded(event, `event ${index}`));
  }
  if (type === cloudEventTypes.structured) return [bounded(parseJson(body), "the event")];
  return [bounded(binaryEvent(headers, type, body), "the event")];
}

/** Headers `ce-<attribute>` hold the attributes, percent-encoded; the body is the data. */
function binaryEvent(headers: EventRequest["headers"], type: string | undefined, body: EventRequest["body"]): unknown {
  if (headers["ce-specversion"] === undefined)
    throw invalid(
      `expected the content type ${cloudEventTypes.structured} or ${cloudEventTypes.batch}, or the headers of the binary mode (ce-specversion, ce-id, ce-source, ce-type)`,
    );
  const event: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith("ce-") && typeof value === "string") event[name.slice(3)] = percentDecoded(name, value);
  if (body === undefined || body.length === 0) return { ...event };
  if (type !== "application/json" && type?.endsWith("+json") !== true)
    throw new AppError(
      "request.unsupported_media_type",
      `Usage is read from JSON; the event's data are ${type ?? "of no named type"}.`,
    );
  return { ...event, datacontenttype: String(headers["content-type"]), data: parseJson(body) };
}

function percentDecoded(name: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw new AppError("request.invalid", `${name}: expected UTF-8, percent-encoded.`, { cause });
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseJson(body: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(utf8.decode(body ?? new Uint8Array()));
  } catch (cause) {
    throw new AppError("request.invalid", "body: expected JSON in UTF-8.", { cause });
  }
}

function bounded(value: unknown, where: string): SentEvent {
  const problem = unstorable(value);
  if (problem !== undefined) throw invalid(`${where} ${problem}`);
  const text = JSON.stringify(value);
  if (text.length > eventLimits.eventLength)
    throw new AppError(
      "request.too_large",
      `${where}: expected at most ${eventLimits.eventLength} characters of JSON.`,
    );
  return { value, text };
}

/** "application/json" of "Application/JSON; charset=utf-8". */
const essence = (header: unknown): string | undefined =>
  typeof header === "string" ? header.split(";")[0]?.trim().toLowerCase() : undefined;

const invalid = (message: string): AppError => new AppError("request.invalid", `${message}.`);
