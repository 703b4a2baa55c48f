import { setTimeout as sleep } from "node:timers/promises";
import { EngineClosedError, EngineRunError } from "../../errors.ts";
import type { LanguageLoad } from "../../language/language-engine.ts";
import type { UpstreamSettings } from "../options.ts";
import { addressOf, type CallTarget, headersOf } from "./address.ts";
import { readText } from "./body.ts";
import { admits, afterOutcome, afterStart, type BreakerState, closedBreaker } from "./circuit-breaker.ts";
import { Exchange } from "./exchange.ts";
import { failureOfStatus, UpstreamFailure } from "./failure.ts";
import { retryAfterMs, retryDelayMs } from "./retry.ts";
import { Slots } from "./slots.ts";

/** What is asked of an upstream. */
export interface UpstreamCall {
  readonly target: CallTarget;
  /** Sent as JSON; left out: the call is a GET. */
  readonly body?: unknown;
  /** Asked for an event stream. */
  readonly isStream?: boolean;
  /** Statuses that are no failure to whoever reads the answer. */
  readonly passStatuses?: readonly number[];
  /** For errors about its length. */
  readonly maxTokens?: number | undefined;
}

/** Reads an answer piece by piece; it awaits the upstream through the exchange only. */
export type ReadAnswer<T> = (response: Response, exchange: Exchange) => AsyncGenerator<T>;

/** Of what a server says about a failure. */
const maxFailureBytes = 65_536;

/** Makes calls: slots, the breaker, limits of time, and further attempts while nothing of the answer has come. */
export class Caller {
  readonly #settings: UpstreamSettings;
  readonly #slots: Slots;
  readonly #closing = new AbortController();
  #breaker: BreakerState = closedBreaker;

  constructor(settings: UpstreamSettings) {
    this.#settings = settings;
    this.#slots = new Slots(settings.slots, settings.maxQueue);
  }

  get load(): LanguageLoad {
    return this.#slots.load;
  }

  /** False while the breaker is open. */
  get isAvailable(): boolean {
    return !this.#closing.signal.aborted && admits(this.#breaker, this.#settings.nowMs());
  }

  close(): void {
    this.#slots.close();
    this.#closing.abort(new EngineClosedError());
  }

  /** The pieces of an answer. @throws as LanguageEngine's `chat`. */
  async *pieces<T>(call: UpstreamCall, read: ReadAnswer<T>, caller: AbortSignal): AsyncGenerator<T> {
    const signal = AbortSignal.any([caller, this.#closing.signal]);
    const leave = await this.#slots.enter(signal);
    try {
      for (let retry = 1; ; retry++) {
        let hasBegun = false;
        try {
          for await (const piece of this.#attempt(call, read, signal)) {
            hasBegun = true;
            yield piece;
          }
          return;
        } catch (error) {
          if (!(error instanceof UpstreamFailure)) throw error;
          signal.throwIfAborted();
          const { retry: settings, random } = this.#settings;
          const isFinal = hasBegun || !error.isRetryable || !this.isAvailable;
          const delay = isFinal ? undefined : retryDelayMs(retry, error.retryAfterMs, settings, random());
          if (delay === undefined) throw error.error;
          // The timer's own error says nothing of the reason.
          await sleep(delay, undefined, { signal }).catch(() => signal.throwIfAborted());
        }
      }
    } finally {
      leave();
    }
  }

  /** An answer that is one piece. @throws as `pieces`. */
  async one<T>(
    call: UpstreamCall,
    read: (response: Response, exchange: Exchange) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const pieces = this.pieces(
      call,
      async function* (response, exchange) {
        yield await read(response, exchange);
      },
      signal,
    );
    for await (const piece of pieces) return piece;
    throw new Error("unreachable: an answer is one piece");
  }

  async *#attempt<T>(call: UpstreamCall, read: ReadAnswer<T>, signal: AbortSignal): AsyncGenerator<T> {
    const { timeouts, nowMs, breaker: settings } = this.#settings;
    this.#assertAvailable();
    this.#breaker = afterStart(this.#breaker);
    const { epoch } = this.#breaker;
    const tell = (outcome: UpstreamFailure["outcome"]) => {
      this.#breaker = afterOutcome(this.#breaker, outcome, { epoch, nowMs: nowMs(), settings });
    };
    let outcome: UpstreamFailure["outcome"] = "unknown";
    let exchange: Exchange | undefined;
    try {
      const startMs = nowMs();
      const { headers, secrets } = await headersOf(this.#settings, signal);
      exchange = new Exchange(signal, { name: this.#settings.name, secrets, maxTokens: call.maxTokens }, startMs);
      exchange.limit(Math.min(timeouts.headMs, timeouts.firstTokenMs), "its server did not answer");
      const response = await this.#send(call, headers, exchange);
      exchange.limit(timeouts.firstTokenMs - (nowMs() - startMs), "its server sent no piece of an answer");
      let hasBegun = false;
      for await (const piece of read(response, exchange)) {
        // While the caller is busy with a piece, nobody waits for the next.
        exchange.unlimit();
        if (!hasBegun) tell("alive");
        hasBegun = true;
        yield piece;
        exchange.limit(timeouts.betweenTokensMs, "its server sent no further piece of an answer");
      }
      outcome = "answered";
    } catch (error) {
      if (error instanceof UpstreamFailure) outcome = error.outcome;
      throw error;
    } finally {
      tell(outcome);
      exchange?.end();
    }
  }

  async #send(call: UpstreamCall, headers: Record<string, string>, exchange: Exchange): Promise<Response> {
    const response = await exchange.until(
      this.#settings.fetch(addressOf(this.#settings, call.target), {
        method: call.body === undefined ? "GET" : "POST",
        headers: { accept: call.isStream === true ? "text/event-stream" : "application/json", ...headers },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        redirect: "manual",
        signal: exchange.signal,
      }),
      "its server can't be reached",
    );
    if (response.ok || call.passStatuses?.includes(response.status) === true) return response;
    const wait = retryAfterMs(response.headers, Date.now());
    const text = await readText(response, exchange, maxFailureBytes).catch((error: unknown) => {
      // The status says enough where the words can't be had; a caller that left is another matter.
      if (exchange.signal.aborted && !(exchange.signal.reason instanceof UpstreamFailure)) throw error;
      return "";
    });
    throw exchange.fail((context) => failureOfStatus(response.status, text, context, wait));
  }

  #assertAvailable(): void {
    if (this.isAvailable) return;
    const { status, untilMs } = this.#breaker;
    const { name, nowMs } = this.#settings;
    const until =
      status === "open" ? `for ${Math.ceil((untilMs - nowMs()) / 1000)} s more` : "until one on trial has ended";
    const error = new EngineRunError(`model "${name}": its server failed again and again; no calls are made ${until}`);
    throw new UpstreamFailure(error, { isRetryable: false, outcome: "unknown" });
  }
}
