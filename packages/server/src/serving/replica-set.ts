/** @file The replicas of one revision: as many as wanted, calls to the least loaded, a second try for what a death cut off. */
import { AppError, isErrorCode, type Replica } from "@gristmill/contract";
import type { GenerationEvent, LanguageCard } from "@gristmill/engine";
import type { AnsweringSet } from "./answering-set.ts";
import { OpenedEvents } from "./opened-events.ts";
import type { AnswerTo, GenerateCall, ReplicaCall } from "./replica/protocol.ts";
import { ReplicaDiedError, type ReplicaProcess } from "./replica-process.ts";
import type { ReplicaSlot } from "./replica-slot.ts";
import { leastLoaded } from "./routing.ts";
import type { DeploymentFailure } from "./store.ts";

/** What a set is made from. */
export interface ReplicaSetParts {
  /** For messages: 'deployment "mnist"'. */
  readonly name: string;
  /** Calls under way or waiting, for each replica. */
  readonly callsPerReplica: number;
  /** Makes a slot, which starts at once. */
  readonly makeSlot: (onChange: () => void) => Promise<ReplicaSlot>;
}

/** A call waits this long for a replica that is being started again. */
const waitForReplicaMs = 10_000;
/** Calls under way get this long when their replica is to stop. */
const drainMs = 30_000;

/** Replicas that serve one revision. */
export class ReplicaSet implements AnsweringSet {
  readonly trouble = undefined;
  readonly #parts: ReplicaSetParts;
  #slots: ReplicaSlot[] = [];
  /** Slots that are being stopped: shown until they are gone. */
  readonly #leaving = new Set<ReplicaSlot>();
  readonly #listeners = new Set<() => void>();
  #calls = 0;
  #card: LanguageCard | null | undefined;
  #wasReady = false;
  #isStopping = false;
  #scaling: Promise<void> = Promise.resolve();

  constructor(parts: ReplicaSetParts) {
    this.#parts = parts;
  }

  /** Replicas that answer. */
  get readyCount(): number {
    return this.#slots.filter((slot) => slot.readyProcess !== undefined).length;
  }

  /** True once any replica was ready. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  /** Why no replica will come: all have given up. */
  get failure(): DeploymentFailure | undefined {
    return this.#slots.length > 0 && this.#slots.every((slot) => slot.failure !== undefined)
      ? this.#slots[0]?.failure
      : undefined;
  }

  /** Why at least one replica will not come. */
  get partialFailure(): DeploymentFailure | undefined {
    return this.#slots.find((slot) => slot.failure !== undefined)?.failure;
  }

  /** Why nothing answers: nobody pays for any replica that could. */
  get refusal(): DeploymentFailure | undefined {
    const unpaid = this.#slots.find((slot) => slot.refusal !== undefined);
    const isHopeless = this.#slots.every((slot) => slot.refusal !== undefined || slot.failure !== undefined);
    return isHopeless ? unpaid?.refusal : undefined;
  }

  isComplete(replicas: number): boolean {
    return this.readyCount >= replicas;
  }

  toWire(): Replica[] {
    return [...this.#slots, ...this.#leaving].map((slot) => slot.toWire());
  }

  /** Calls after every change of a replica; the returned function ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts or stops replicas until there are so many. Resolves when the new ones are being started and the others are gone. */
  scale(count: number): Promise<void> {
    // A change that failed (the database was away) does not keep later ones from being tried.
    this.#scaling = this.#scaling
      .catch(() => undefined)
      .then(async () => {
        while (this.#slots.length < count && !this.#isStopping)
          this.#slots.push(await this.#parts.makeSlot(() => this.#changed()));
        const surplus = this.#slots.splice(Math.max(count, 0));
        await Promise.all(surplus.map((slot) => this.#retire(slot)));
      });
    return this.#scaling;
  }

  /**
   * Resolves when all replicas answer, or the first one does.
   * @throws AppError of a replica that gave up, when so few are left that it can't come to this; `signal.reason`.
   */
  async whenReady(want: "all" | "first", signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const failure = want === "all" ? this.partialFailure : this.failure;
      if (failure !== undefined) throw new AppError(asCode(failure.code), failure.message);
      if (this.readyCount >= (want === "all" ? Math.max(1, this.#slots.length) : 1)) return;
      await this.#change(signal);
    }
  }

  /** What the language model can do, once a replica was ready; null: it is none. */
  get card(): LanguageCard | null | undefined {
    return this.#card;
  }

  /**
   * Runs a call on the least loaded replica; once more on another one when its process dies meanwhile.
   * @throws AppError `engine.queue_full`, `engine.replica_died`, `deployment.not_ready`, and the replica's own.
   */
  async call<C extends ReplicaCall>(call: C, signal: AbortSignal): Promise<AnswerTo<C>> {
    this.#enter();
    // Nothing may come between the choice and the call: the next choice counts it.
    const once = async (): Promise<AnswerTo<C>> =>
      await (this.#pick() ?? (await this.#waitForReplica(signal))).call(call, signal);
    try {
      return await once().catch(async (error: unknown) => {
        if (!(error instanceof ReplicaDiedError)) throw error;
        return await once();
      });
    } catch (error) {
      throw error instanceof ReplicaDiedError ? this.#died(error, "Two replicas") : error;
    } finally {
      this.#calls--;
    }
  }

  /**
   * Begins an answer that comes in pieces, and resolves with its first event. A replica that dies before the first piece
   * is replaced by another, once.
   * @throws AppError as `call`; the events throw `engine.replica_died` too.
   */
  async generate(call: GenerateCall, signal: AbortSignal): Promise<AsyncIterable<GenerationEvent>> {
    this.#enter();
    return await OpenedEvents.open(this.#events(call, signal), signal, () => this.#calls--);
  }

  /** Drains and stops all. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.scale(0);
  }

  async *#events(call: GenerateCall, signal: AbortSignal): AsyncGenerator<GenerationEvent, void, undefined> {
    let hasStarted = false;
    for (let attempt = 1; ; attempt++) {
      let hasPiece = false;
      try {
        const process = this.#pick() ?? (await this.#waitForReplica(signal));
        for await (const event of process.generate(call, signal)) {
          // The reader was told by the first attempt; a piece of the answer can't be taken back.
          if (event.type !== "started") hasPiece = true;
          else if (hasStarted) continue;
          hasStarted = true;
          yield event;
        }
        return;
      } catch (error) {
        if (!(error instanceof ReplicaDiedError)) throw error;
        if (hasPiece) throw this.#died(error, "The replica");
        if (attempt === 2) throw this.#died(error, "Two replicas");
      }
    }
  }

  /** Counts a call in. @throws AppError `engine.queue_full`. */
  #enter(): void {
    const limit = this.#parts.callsPerReplica * Math.max(1, this.#slots.length);
    if (this.#calls >= limit)
      throw new AppError(
        "engine.queue_full",
        `${limit} requests of ${this.#parts.name} are waiting or running already.`,
        { details: { limit } },
      );
    this.#calls++;
  }

  #died(cause: ReplicaDiedError, who: string): AppError {
    const message = `${who} of ${this.#parts.name} ended while ${who === "The replica" ? "it" : "they"} worked on this request.`;
    return new AppError("engine.replica_died", message, { cause });
  }

  #pick(): ReplicaProcess | undefined {
    const ready = this.#slots.flatMap((slot) => slot.readyProcess ?? []);
    return ready[leastLoaded(ready.map(({ inFlight }) => inFlight)) ?? -1];
  }

  /** A replica that died is back soon; before the first was ready, and after all gave up, nobody waits. */
  async #waitForReplica(signal: AbortSignal): Promise<ReplicaProcess> {
    const limit = AbortSignal.timeout(waitForReplicaMs);
    const either = AbortSignal.any([signal, limit]);
    const isHopeless = (): boolean => this.failure !== undefined || this.refusal !== undefined;
    while (this.#wasReady && !this.#isStopping && !isHopeless() && !limit.aborted) {
      await this.#change(either).catch(() => undefined);
      signal.throwIfAborted();
      const process = this.#pick();
      if (process !== undefined) return process;
    }
    if (this.refusal !== undefined) throw new AppError(asCode(this.refusal.code), this.refusal.message);
    throw new AppError("deployment.not_ready", `No replica of ${this.#parts.name} is ready.`);
  }

  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const off = this.onChange(resolve);
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await promise;
    } finally {
      off();
      signal.removeEventListener("abort", onAbort);
    }
  }

  #changed(): void {
    const ready = this.#slots.find((slot) => slot.readyProcess !== undefined)?.readyProcess;
    if (ready !== undefined) {
      this.#wasReady = true;
      this.#card = ready.card;
    }
    for (const listener of [...this.#listeners]) listener();
  }

  async #retire(slot: ReplicaSlot): Promise<void> {
    this.#leaving.add(slot);
    try {
      await slot.stop(drainMs);
    } finally {
      this.#leaving.delete(slot);
      this.#changed();
    }
  }
}

/** A failure's code, as one of the table. */
export const asCode = (code: string): ConstructorParameters<typeof AppError>[0] =>
  isErrorCode(code) ? code : "engine.failed";
