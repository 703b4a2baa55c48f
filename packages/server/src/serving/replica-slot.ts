/** @file Keeps one replica alive: starts its process, starts it again after a death, and gives up when it can't work. */
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type Replica } from "@gristmill/contract";
import type { Log } from "../feature.ts";
import { isRefusal } from "../metering/index.ts";
import { backOffMs, failuresAfter } from "./back-off.ts";
import type { ReplicaMeter } from "./replica-meter.ts";
import { describeExit, type ReplicaProcess } from "./replica-process.ts";
import type { DeploymentFailure } from "./store.ts";

/** What a slot is made from. */
export interface SlotParts {
  readonly id: string;
  readonly revision: number;
  /** Resolves with a process that is ready. An AppError means that trying again won't help. */
  readonly startProcess: (signal: AbortSignal) => Promise<ReplicaProcess>;
  readonly meter: ReplicaMeter;
  readonly now: () => Date;
  readonly log: Log;
  /** How often a replica that nobody pays for looks again; default 30 s. */
  readonly unpaidCheckMs?: number;
  /** Called after every change of `status`. */
  readonly onChange: () => void;
  /** Called when the slot has stopped and its time is settled. */
  readonly onGone: () => Promise<void>;
}

/** A model that ends its process this often while it loads will go on doing so. */
const loadAttempts = 3;
/** How often a replica that nobody pays for looks whether its budget has room again. */
const unpaidCheckMs = 30_000;
/** So long before its paid time is over, what a replica works on is cut off. */
const unpaidMarginMs = 1000;

/** One place for a replica; processes come and go in it. */
export class ReplicaSlot {
  readonly #parts: SlotParts;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #status: Replica["status"] = "starting";
  #process: ReplicaProcess | undefined;
  #restarts = 0;
  #readyAt: Date | null = null;
  #lastError: string | null = null;
  #failure: DeploymentFailure | undefined;
  #refusal: DeploymentFailure | undefined;

  constructor(parts: SlotParts) {
    this.#parts = parts;
    this.#ended = this.#live();
  }

  get status(): Replica["status"] {
    return this.#status;
  }

  /** The process, while it may be given work. */
  get readyProcess(): ReplicaProcess | undefined {
    return this.#status === "ready" && this.#process?.hasEnded === false ? this.#process : undefined;
  }

  /** Why the slot gave up. */
  get failure(): DeploymentFailure | undefined {
    return this.#failure;
  }

  /** Why nobody pays for it at the moment. */
  get refusal(): DeploymentFailure | undefined {
    return this.#refusal;
  }

  /** As `/api` tells it. */
  toWire(): Replica {
    return {
      id: this.#parts.id,
      revision: this.#parts.revision,
      status: this.#status,
      pid: this.#process?.pid ?? null,
      restarts: this.#restarts,
      queue_depth: this.#process?.inFlight ?? 0,
      memory_bytes: this.#process?.health.memoryBytes ?? null,
      ready_at: this.#readyAt?.toISOString() ?? null,
      last_error: this.#lastError,
    };
  }

  /** Takes no more work, waits for what is under way until `drainMs`, ends the process and settles its time. */
  async stop(drainMs: number): Promise<void> {
    if (this.#status !== "failed") this.#become("stopping");
    if (this.#process !== undefined) await this.#drained(this.#process, drainMs);
    this.#stop.abort(new AppError("server.stopping", "The replica is being stopped."));
    await this.#ended;
    await this.#parts.onGone();
  }

  async #live(): Promise<void> {
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted && this.#status !== "failed") {
      const startedMs = performance.now();
      let readyMs = 0;
      try {
        await this.#parts.meter.probe(this.#parts.id);
        this.#refusal = undefined;
        await this.#liveOnce(signal);
        readyMs = performance.now() - startedMs;
      } catch (error) {
        if (signal.aborted) return;
        this.#lastError = error instanceof Error ? error.message : String(error);
        if (isRefusal(error)) this.#unpaid(error);
        else {
          this.#parts.log.warn({ replica: this.#parts.id, error: this.#lastError }, "a replica did not start");
          if (isFinal(error) || (this.#readyAt === null && failures + 1 >= loadAttempts)) {
            this.#failure = toFailure(error);
            this.#become("failed");
            return;
          }
        }
      }
      if (signal.aborted) return;
      if (this.#refusal !== undefined) await this.#pause(this.#parts.unpaidCheckMs ?? unpaidCheckMs);
      else {
        failures = failuresAfter(failures, readyMs);
        this.#restarts++;
        if (this.#status !== "stopping") this.#become("restarting");
        await this.#pause(backOffMs(failures));
      }
    }
  }

  /** Aborted by `stop`: the loop's condition ends it. */
  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
  }

  /** Starts a process, counts its time, and resolves when it has ended. */
  async #liveOnce(signal: AbortSignal): Promise<void> {
    const { id, meter, log, now, startProcess } = this.#parts;
    const process = await startProcess(signal);
    const end = (): void => void process.stop();
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    try {
      await meter.open(id, (refusal, leftMs) => {
        this.#unpaid(refusal);
        void this.#drained(process, leftMs - unpaidMarginMs).then(() => process.stop());
      });
    } catch (error) {
      // Unmetered work is refused.
      await process.stop();
      throw error;
    }
    this.#process = process;
    this.#readyAt = now();
    log.info({ replica: id, pid: process.pid }, "replica ready");
    if (this.#status !== "stopping") this.#become("ready");
    const exit = await process.exited;
    signal.removeEventListener("abort", end);
    this.#process = undefined;
    this.#parts.onChange();
    await meter.close(id);
    if (signal.aborted || this.#refusal !== undefined) return;
    this.#lastError = `The process ended by itself: ${describeExit(exit)}`;
    log.warn({ replica: id, error: this.#lastError }, "a replica died");
  }

  /** Takes no more work; what is under way may end until the paid time is over. */
  #unpaid(refusal: AppError): void {
    this.#refusal = toFailure(refusal);
    this.#lastError = refusal.message;
    if (this.#status !== "stopping") this.#become("unpaid");
  }

  /** Resolves when nothing is under way any more, or when the time is over. */
  async #drained(process: ReplicaProcess, drainMs: number): Promise<void> {
    for (const endMs = performance.now() + drainMs; performance.now() < endMs; await sleep(5))
      if (process.inFlight === 0 || process.hasEnded) return;
  }

  #become(status: Replica["status"]): void {
    this.#status = status;
    this.#parts.onChange();
  }
}

/** The artifact or the model itself is wrong, which another start won't change; a database that is away will come back. */
const isFinal = (error: unknown): boolean => error instanceof AppError && !error.retryable;

function toFailure(error: unknown): DeploymentFailure {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  return { code: "engine.failed", message: error instanceof Error ? error.message : String(error) };
}
