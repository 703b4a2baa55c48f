/** @file Works on the first request of a key, and gives its answer to all others. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type RequestId } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { Log } from "../feature.ts";
import { type Answer, failureAnswer, type Idempotency, type KeyedRequest, toAppError } from "../http/index.ts";
import type { SecretBox } from "../secrets/index.ts";
import { fromBytes, toBytes, type WholeAnswer, wholeAnswer } from "./answer-bytes.ts";
import { fateOfAnswer, fateOfFailure } from "./fate.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { LateEndings } from "./late-endings.ts";
import type { Quotas } from "./quotas.ts";
import { type Claim, claim, type Ending, end, type Held, type Keeping, listHeld, type Place } from "./store.ts";
import { type StreamEnd, teedStream } from "./teed-stream.ts";
import { type Seats, WaitingRoom } from "./waiting-room.ts";

/** Bounds of what is kept. */
export interface KeepingLimits {
  readonly keepMs: number;
  /** Of one answer's body. */
  readonly answerBytes: number;
  /** How long a twin waits before it is told to come back. */
  readonly waitMs: number;
  /** Twins that wait in this server at a time. */
  readonly seats: Seats;
}

/** What keeping needs. */
export interface KeeperParts {
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly log: Log;
  readonly instance: () => number | null;
  readonly quotas: Quotas;
  readonly limits: KeepingLimits;
}

const firstPauseMs = 20;
const longestPauseMs = 500;

/** Answers by key, on PostgreSQL: see the rules in README.md. */
export class KeptAnswers implements Idempotency {
  readonly #parts: KeeperParts;
  /** Places that this process claims or works on, and how many of its requests do. */
  readonly #busy = new Map<string, number>();
  /** Resolved when this process has ended its work on a place. */
  readonly #working = new Map<string, PromiseWithResolvers<void>>();
  readonly #room: WaitingRoom;
  /** Their places stay busy. */
  readonly #late = new LateEndings();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#room = new WaitingRoom(parts.limits.seats);
  }

  async run(keyed: KeyedRequest, execute: (requestId: RequestId) => Promise<Answer>): Promise<Answer> {
    const { key, caller, route } = keyed;
    if (key.length < 1 || key.length > 255)
      throw new AppError("request.invalid", "Idempotency-Key: expected 1 to 255 characters.");
    const place: Place = {
      projectId: caller.projectId,
      route: `${route.method} ${route.path}`,
      keySha256: createHash("sha256").update(key).digest(),
    };
    await this.#parts.quotas.check(place);
    const claimed = await this.#claim(place, keyed);
    if (claimed.verdict === "kept" && claimed.sealed !== null)
      return this.#replay(place, claimed.requestId, claimed.sealed);
    if (claimed.verdict !== "run") throw notReplayable(claimed.reason ?? "it was not kept");
    const held = { ...place, requestId: claimed.requestId, attempt: claimed.attempt };
    return await this.#execute(held, keyed, execute);
  }

  /**
   * Writes the ends that could not be written. Then opens what this process holds by the database's word alone: the answer to its
   * claim was lost on the way.
   */
  async sweep(): Promise<void> {
    const { db, instance } = this.#parts;
    await this.#late.write(async (held, ending) => {
      await end(db, held, ending);
      this.#leave(nameOf(held));
    });
    const number = instance();
    if (number === null) return;
    for (const held of await listHeld(db, number))
      if (!this.#busy.has(nameOf(held))) await end(db, held, { kind: "reopen" });
  }

  /** Waits while another request of the key is worked on. A place that is claimed stays busy until `#end`. */
  async #claim(place: Place, { caller, request, requestId, signal }: KeyedRequest): Promise<Claim> {
    const { db, instance, limits } = this.#parts;
    const fingerprint = fingerprintOf({ caller, request });
    const name = nameOf(place);
    for (let waitedMs = 0, pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
      this.#enter(name);
      let claimed: Claim | undefined;
      try {
        const asked = { ...place, fingerprint, requestId, instance: instance(), keepMs: limits.keepMs };
        claimed = await claim(db, asked);
      } finally {
        if (claimed?.verdict !== "run") this.#leave(name);
      }
      if (claimed.verdict === "run") this.#parts.quotas.added(place.projectId, 0);
      if (claimed.verdict === "mismatch")
        throw new AppError(
          "idempotency.mismatch",
          "This Idempotency-Key came with another request, or another caller.",
        );
      if (claimed.verdict !== "wait") return claimed;
      if (waitedMs >= limits.waitMs || !this.#room.hasSeat(place.projectId)) throw inProgress();
      waitedMs += pauseMs;
      await this.#room.during(place.projectId, () => this.#pause(name, pauseMs, signal));
    }
  }

  async #execute(
    held: Held,
    { route, signal }: KeyedRequest,
    execute: (requestId: RequestId) => Promise<Answer>,
  ): Promise<Answer> {
    this.#working.set(nameOf(held), Promise.withResolvers());
    // What a charged request changes is on the ledger, durably, and would be found again: only free ones must be flushed.
    const isFlushed = "free" in route.charge;
    const requestId = held.requestId as RequestId;
    let answer: Answer;
    try {
      answer = await execute(requestId);
    } catch (failure) {
      const fate = fateOfFailure(failure, signal.aborted);
      if (fate === "kept") {
        const keeping = this.#sealed(held, wholeAnswer(failureAnswer(failure, route, requestId)));
        await this.#end(held, { kind: "keep", keeping, isFlushed });
      } else await this.#end(held, fate === "open" ? { kind: "reopen" } : forgetting(held));
      throw failure;
    }
    const { body } = answer;
    if (body instanceof Readable) {
      const onEnd = (stream: StreamEnd): Promise<void> =>
        this.#end(held, this.#endingOfStream(held, answer, stream, isFlushed));
      return { ...answer, body: teedStream(body, this.#parts.limits.answerBytes, onEnd) };
    }
    if (fateOfAnswer(answer) === "forgotten") await this.#end(held, forgetting(held));
    else await this.#end(held, { kind: "keep", keeping: this.#sealed(held, wholeAnswer(answer)), isFlushed });
    return answer;
  }

  /** Ends a claim. The work is done, so its answer is given also when its end can't be written yet: `sweep` goes on trying. */
  async #end(held: Held, ending: Ending): Promise<void> {
    const { db, log } = this.#parts;
    const name = nameOf(held);
    try {
      await end(db, held, ending).catch(() => end(db, held, ending));
      this.#leave(name);
    } catch (err) {
      const isLater = this.#late.add(held, ending);
      if (!isLater) this.#leave(name);
      log.warn({ err, request_id: held.requestId }, "An answer is not kept for repeats of its request yet.");
    }
    this.#working.get(name)?.resolve();
    this.#working.delete(name);
  }

  /** What a stream has sent can't be taken back, so one that failed is worked on again only when nobody knows what was charged. */
  #endingOfStream(held: Held, { status = 200, headers = {} }: Answer, stream: StreamEnd, isFlushed: boolean): Ending {
    const because = (reason: string): Ending => ({ kind: "keep", keeping: { reason }, isFlushed });
    switch (stream.kind) {
      case "whole":
        return { kind: "keep", keeping: this.#sealed(held, { status, headers, body: stream.bytes }), isFlushed };
      case "too_large":
        return because(tooLarge(this.#parts.limits));
      case "failed":
        return isUnwritten(stream.failure) ? { kind: "reopen" } : because("its stream failed before its end");
      case "cut":
        return because("its reader left before its end");
    }
  }

  #sealed(held: Held, answer: WholeAnswer): Keeping {
    const { limits, secrets, quotas } = this.#parts;
    if (answer.body.length > limits.answerBytes) return { reason: tooLarge(limits) };
    if (quotas.isFull(held.projectId)) return { reason: "its project keeps as many answers as one may" };
    const sealed = secrets.seal(toBytes(answer), contextOf(held, held.requestId));
    quotas.added(held.projectId, sealed.length);
    return { sealed };
  }

  #replay(place: Place, requestId: string, sealed: Buffer): Answer {
    try {
      return fromBytes(this.#parts.secrets.open(sealed, contextOf(place, requestId)));
    } catch (cause) {
      throw notReplayable("it was kept with another secret key", cause);
    }
  }

  /** Until the place's work in this process ends, or the pause does. */
  async #pause(name: string, pauseMs: number, signal: AbortSignal): Promise<void> {
    const timer = new AbortController();
    try {
      const pause = sleep(pauseMs, undefined, { signal: AbortSignal.any([signal, timer.signal]) }).catch(() => {});
      await Promise.race([pause, ...(this.#working.has(name) ? [this.#working.get(name)?.promise] : [])]);
    } finally {
      timer.abort();
    }
    signal.throwIfAborted();
  }

  #enter(name: string): void {
    this.#busy.set(name, (this.#busy.get(name) ?? 0) + 1);
  }

  #leave(name: string): void {
    const left = (this.#busy.get(name) ?? 1) - 1;
    if (left === 0) this.#busy.delete(name);
    else this.#busy.set(name, left);
  }
}

const isUnwritten = (failure: unknown): boolean => toAppError(failure).code === "database.unavailable";

/** A later attempt may only be opened: the one before it may have written its usage, under the same request id. */
const forgetting = ({ attempt }: Held): Ending => ({ kind: attempt === 1 ? "forget" : "reopen" });

const nameOf = ({ projectId, route, keySha256 }: Place): string =>
  `${projectId} ${route} ${keySha256.toString("base64")}`;

const contextOf = (place: Place, requestId: string): string => `idempotent answer ${nameOf(place)} ${requestId}`;

const tooLarge = ({ answerBytes }: KeepingLimits): string => `it has more than ${answerBytes} bytes`;

const notReplayable = (reason: string, cause?: unknown): AppError =>
  new AppError("idempotency.not_replayable", `The answer of this Idempotency-Key can't be sent again: ${reason}.`, {
    cause,
  });

const inProgress = (): AppError =>
  new AppError("idempotency.in_progress", "Another request with this Idempotency-Key is being worked on.", {
    details: { retry_after_ms: 1000 },
  });
