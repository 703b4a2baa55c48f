/** @file From the bytes of a streamed answer to its events. */
import type { GenerationEvent } from "../../language/answer.ts";
import { readBody, readJson } from "../calls/body.ts";
import { EventStreamParser, type ServerEvent } from "../calls/event-stream.ts";
import type { Exchange } from "../calls/exchange.ts";
import { failureOfAnswer, failureOfConnection, failureOfEvent, UpstreamFailure } from "../calls/failure.ts";
import { asObject, type JsonObject, parseJson } from "../json.ts";
import type { UpstreamSettings } from "../options.ts";
import type { AnswerReader } from "./answer-reader.ts";

type Limits = Pick<UpstreamSettings, "maxAnswerBytes" | "maxEventBytes" | "timeouts">;

/** Once an answer has ended only its usage is missing: it is not worth a long wait. */
const usageLimitMs = 5_000;

/** @throws UpstreamFailure for what is no answer, is one that breaks off, or tells a failure; the caller's reason. */
export async function* readAnswer(
  response: Response,
  exchange: Exchange,
  reader: AnswerReader,
  limits: Limits,
): AsyncGenerator<GenerationEvent> {
  const type = response.headers.get("content-type") ?? "";
  if (/^text\/html\b/i.test(type))
    throw exchange.fail((context) => failureOfAnswer("a stream of events, received a page of HTML", context));
  if (/^application\/json\b/i.test(type)) {
    // Some servers don't stream where a grammar or a tool is asked for.
    yield* readData(await readJson(response, exchange, limits.maxAnswerBytes), exchange, reader);
  } else {
    yield* readEvents(response, exchange, reader, limits);
  }
  yield* madeBy(exchange, () => reader.end(), failureOfConnection);
}

async function* readEvents(
  response: Response,
  exchange: Exchange,
  reader: AnswerReader,
  limits: Limits,
): AsyncGenerator<GenerationEvent> {
  const parser = new EventStreamParser(limits.maxEventBytes);
  try {
    for await (const bytes of readBody(response, exchange, limits.maxAnswerBytes)) {
      for (const event of madeBy(exchange, () => [...parser.push(bytes)], failureOfAnswer)) {
        if (event.data.trim() === "[DONE]") return;
        yield* readEvent(event, exchange, reader);
      }
      if (reader.hasFinished) exchange.limit(Math.min(usageLimitMs, limits.timeouts.betweenTokensMs), "no usage came");
    }
    const last = parser.end();
    if (last !== undefined && last.data.trim() !== "[DONE]") yield* readEvent(last, exchange, reader);
  } catch (error) {
    // The answer is complete: what broke after it is the usage, which is estimated then.
    if (!(reader.hasFinished && error instanceof UpstreamFailure)) throw error;
  }
}

function readEvent(event: ServerEvent, exchange: Exchange, reader: AnswerReader): readonly GenerationEvent[] {
  const data = parseJson(event.data);
  if (event.type === "error")
    throw exchange.fail((context) => failureOfEvent(data ?? { message: event.data }, context));
  const chunk = asObject(data);
  if (chunk === undefined)
    throw exchange.fail((context) =>
      failureOfAnswer("objects of JSON in its stream, received something else", context),
    );
  return readData(chunk, exchange, reader);
}

function readData(data: JsonObject, exchange: Exchange, reader: AnswerReader): readonly GenerationEvent[] {
  if (data["error"] || data["object"] === "error") throw exchange.fail((context) => failureOfEvent(data, context));
  return madeBy(exchange, () => reader.read(data), failureOfAnswer);
}

/** What is made out of the upstream's words, whose fault a RangeError is. */
function madeBy<T>(
  exchange: Exchange,
  make: () => readonly T[],
  failure: typeof failureOfAnswer | typeof failureOfConnection,
): readonly T[] {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const expected = failure === failureOfConnection ? `expected ${error.message}` : error.message;
    throw exchange.fail((context) => failure(expected, context));
  }
}
