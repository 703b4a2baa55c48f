/** @file Responses that are written while nobody waits. */
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type OpenaiResponse, type RequestId, type ResponseInputItem } from "@gristmill/contract";
import type { Log } from "../../../feature.ts";
import { type Caller, type Quantity, Tally, toAppError } from "../../../http/index.ts";
import type { Ledger, OpenClaim } from "../../../metering/index.ts";
import { inWireWords } from "../bad-field.ts";
import { tokenUse } from "../charge.ts";
import { Generations } from "../generations.ts";
import type { LanguageModels } from "../language-models.ts";
import type { PreparedResponse } from "./request.ts";
import {
  endedState,
  failedState,
  type ResponseFrame,
  type ResponseState,
  responseOf,
  responseUsageOf,
  suffixOf,
} from "./response.ts";
import type { ResponseStore } from "./store.ts";
import { ResponseWriter } from "./writer.ts";

/** Responses that one server writes at once, those that wait for their model among them. */
const maxUnderWay = 1000;
/** How long a response waits before it asks a busy model again, at first and at most. */
const firstWaitMs = 250;
const longestWaitMs = 10_000;
/** How long to wait before what could not be written is written again. */
const retryMs = 1000;

/** A response to write. */
export interface BackgroundJob {
  readonly frame: ResponseFrame;
  readonly caller: Caller;
  readonly requestId: RequestId;
  readonly prepared: PreparedResponse;
  readonly input: readonly ResponseInputItem[];
  /** What it may use at most. */
  readonly estimates: readonly Quantity[];
}

/** What background responses are made of. */
export interface BackgroundDeps {
  readonly models: LanguageModels;
  readonly store: ResponseStore;
  readonly ledger: Pick<Ledger, "claim" | "settle" | "release">;
  readonly now: () => Date;
  readonly log: Log;
}

interface UnderWay {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** Writes responses. Their claims end with the server; `start` of the feature fails what a killed one left. */
export class BackgroundResponses {
  readonly #deps: BackgroundDeps;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #stopping = new AbortController();

  constructor(deps: BackgroundDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves to the queued response when it is stored.
   * @throws AppError as `Ledger.claim`; `engine.queue_full`.
   */
  async begin(job: BackgroundJob): Promise<OpenaiResponse> {
    const { ledger, store } = this.#deps;
    const { frame, caller, input, estimates } = job;
    const { organizationId, projectId, keyId } = caller;
    if (this.#stopping.signal.aborted) throw new AppError("server.stopping", "The server is shutting down.");
    if (this.#underWay.size >= maxUnderWay)
      throw new AppError("engine.queue_full", `${maxUnderWay} background responses are under way.`);
    const response = responseOf(frame, { status: "queued" });
    const claim = await ledger.claim({ id: frame.id, organizationId, projectId, keyId, estimates });
    const isNew = await store.insert(projectId, { response, input }).catch(async (failure: unknown) => {
      await ledger.release(claim);
      throw failure;
    });
    if (!isNew) return (await store.find(projectId, frame.id))?.response ?? response;
    const abort = new AbortController();
    const done = this.#run(job, claim, abort.signal).finally(() => this.#underWay.delete(frame.id));
    this.#underWay.set(frame.id, { abort, done });
    return response;
  }

  /** Ends a response if it is under way, and waits until that is written. One that nobody writes any more is cancelled too. */
  async cancel(projectId: string, id: string): Promise<void> {
    const found = this.#underWay.get(id);
    if (found === undefined) return await this.#deps.store.abandon(projectId, id);
    found.abort.abort(new AppError("request.cancelled", "The response was cancelled."));
    await found.done;
  }

  /** Ends all; they have failed. */
  async stop(): Promise<void> {
    const stopping = new AppError("server.stopping", "The server was shut down.");
    this.#stopping.abort(stopping);
    const all = [...this.#underWay.values()];
    for (const { abort } of all) abort.abort(stopping);
    await Promise.all(all.map(({ done }) => done));
  }

  async #run(job: BackgroundJob, claim: OpenClaim, signal: AbortSignal): Promise<void> {
    const { store, ledger, now } = this.#deps;
    const { frame, caller, requestId, input } = job;
    const writer = new ResponseWriter(suffixOf(frame.id));
    const tally = new Tally(caller.userId);
    let state: ResponseState;
    let generations: Generations | undefined;
    try {
      generations = await this.#begun(job, signal);
      await store.begin(caller.projectId, frame.id);
      for await (const { event } of generations.events()) writer.add(event);
      if (writer.ending === undefined) throw new Error("a generation that did not finish");
      state = endedState(writer.ending, now());
    } catch (failure) {
      const error = toAppError(signal.aborted ? signal.reason : inWireWords(failure, job.prepared.words));
      writer.cut();
      state = error.code === "request.cancelled" ? { status: "cancelled" } : failedState(error);
      if (error.code === "internal") this.#deps.log.error({ err: error, response: frame.id }, "A response failed.");
    }
    await generations?.close();
    const usage = generations?.hasStarted === true ? generations.usage : undefined;
    // Who cancels pays for what was written until then; who gets an error of ours pays nothing.
    if (generations !== undefined && usage !== undefined && state.status !== "failed")
      for (const quantity of tokenUse("responses", generations.by.served, usage)) tally.add(quantity);
    const used = tally.events({ ...claim, requestId, limits: [] }, now());
    await this.#written("settled", frame.id, () =>
      used.length === 0 ? ledger.release(claim) : ledger.settle(claim, used),
    );
    const response = responseOf(frame, {
      output: [...writer.output],
      usage: usage === undefined ? null : responseUsageOf(usage),
      ...state,
    });
    await this.#written("stored", frame.id, () => store.end(caller.projectId, { response, input }));
  }

  /** Begins as soon as the model has room. */
  async #begun({ frame, caller, prepared }: BackgroundJob, signal: AbortSignal): Promise<Generations> {
    const { models } = this.#deps;
    const { request } = prepared;
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      try {
        return await Generations.begin({
          count: 1,
          perPrompt: 1,
          signal,
          generate: (_, either) =>
            models.generate(caller.projectId, frame.body.model, { kind: "chat", request }, { signal: either }),
        });
      } catch (failure) {
        if (toAppError(failure).code !== "engine.queue_full") throw failure;
      }
      await sleep(waitMs, undefined, { signal });
    }
  }

  /** Tries until it is written, or the server stops: then the next start finds the response, and its claim has ended. */
  async #written(what: string, id: string, write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        this.#deps.log.warn({ err: error, response: id }, `A background response was not ${what}.`);
        if (this.#stopping.signal.aborted) return;
      }
      await sleep(retryMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }
}
