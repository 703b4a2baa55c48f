/** @file The events of one streamed response: named and numbered. */
import type { AppError, OpenaiResponse } from "@gristmill/contract";
import type { TokenUsage } from "@gristmill/engine";
import type { Frames } from "../answer-generation.ts";
import type { IndexedEvent } from "../generations.ts";
import {
  endedState,
  failedState,
  type ResponseFrame,
  type ResponseState,
  responseOf,
  responseUsageOf,
} from "./response.ts";
import type { ResponseEvent, ResponseWriter } from "./writer.ts";

/** What a stream is told with. */
export interface ResponseFramesOptions {
  readonly frame: ResponseFrame;
  readonly writer: ResponseWriter;
  readonly now: () => Date;
  /** Stores the response when it has ended, where that was asked for. */
  readonly keep: (response: OpenaiResponse) => Promise<void>;
}

/** The last event tells of the whole response, and is sent when that is stored. */
export class ResponseFrames implements Frames {
  readonly #options: ResponseFramesOptions;
  #number = 0;
  #usage: TokenUsage | undefined;

  constructor(options: ResponseFramesOptions) {
    this.#options = options;
  }

  piece({ event }: IndexedEvent): string {
    const told = this.#options.writer.add(event);
    const response = event.type === "started" ? this.#response({ status: "in_progress" }) : undefined;
    const begun =
      response === undefined
        ? []
        : ["response.created", "response.in_progress"].map((type): ResponseEvent => ({ type, response }));
    return [...begun, ...told].map((one) => this.#text(one)).join("");
  }

  last(usage: TokenUsage): string {
    this.#usage = usage;
    return "";
  }

  async end(): Promise<string> {
    const { writer, now, keep } = this.#options;
    const { ending } = writer;
    if (ending === undefined) throw new Error("a generation that did not finish");
    const response = this.#response(endedState(ending, now()));
    await keep(response);
    return this.#text({ type: `response.${response.status}`, response });
  }

  async failure(error: AppError): Promise<string> {
    const { writer, keep } = this.#options;
    writer.cut();
    const response = this.#response(failedState(error));
    // Its caller hears of the first failure, whether or not it can be stored.
    await keep(response).catch(() => {});
    return this.#text({ type: "response.failed", response });
  }

  #response(state: ResponseState): OpenaiResponse {
    const { frame, writer } = this.#options;
    const usage = this.#usage === undefined ? null : responseUsageOf(this.#usage);
    return responseOf(frame, { output: [...writer.output], usage, ...state });
  }

  #text({ type, ...fields }: ResponseEvent): string {
    const data = JSON.stringify({ type, sequence_number: this.#number++, ...fields });
    return `event: ${type}\ndata: ${data}\n\n`;
  }
}
