/** @file One replica process, from main's side: calls in, answers out, until it ends. */
import { join } from "node:path";
import { AppError } from "@gristmill/contract";
import type { Child, ChildExit, Children } from "../children/index.ts";
import { Outbox } from "./replica/outbox.ts";
import type {
  MainMessage,
  ReplicaAnswer,
  ReplicaCall,
  ReplicaHealth,
  ReplicaMessage,
  ReplicaStart,
} from "./replica/protocol.ts";

/** The process ended while it worked on a call: the call may be made again elsewhere. */
export class ReplicaDiedError extends Error {
  override readonly name = "ReplicaDiedError";
}

const entry = join(import.meta.dirname, "replica", "main.ts");
/** How often a replica is asked, and how long it may be silent: a run blocks its process, so longer than any sensible run. */
const defaultPatience = { pingMs: 1000, silenceMs: 120_000 };

interface Pending {
  resolve(answer: ReplicaAnswer): void;
  reject(error: unknown): void;
}

/** A process that is ready to answer. */
export class ReplicaProcess {
  readonly #child: Child;
  readonly #outbox: Outbox<MainMessage>;
  readonly #pending = new Map<number, Pending>();
  readonly #pings: NodeJS.Timeout;
  #health: ReplicaHealth;
  #heardMs = performance.now();
  #lastId = 0;
  #hasEnded = false;

  private constructor(child: Child, health: ReplicaHealth, patience: typeof defaultPatience) {
    this.#child = child;
    this.#health = health;
    this.#outbox = new Outbox((messages) => child.send(messages));
    child.onMessage((messages) => {
      for (const message of messages as readonly ReplicaMessage[]) this.#take(message);
    });
    void child.exited.then((exit) => this.#end(exit));
    this.#pings = setInterval(() => this.#ping(patience.silenceMs), patience.pingMs);
    this.#pings.unref();
  }

  /**
   * Resolves when the model is loaded.
   * @throws AppError with the replica's own code when the engine refuses the model; ReplicaDiedError when the process
   * ends before; `signal.reason`.
   */
  static async start(
    children: Children,
    options: {
      readonly name: string;
      readonly start: ReplicaStart;
      readonly signal: AbortSignal;
      readonly patience?: typeof defaultPatience;
    },
  ): Promise<ReplicaProcess> {
    const { name, start, signal, patience = defaultPatience } = options;
    signal.throwIfAborted();
    const child = await children.start({ name, entry, readPaths: [start.artifactPath], writePaths: [], start });
    const { promise, resolve } = Promise.withResolvers<ReplicaMessage | undefined | ChildExit>();
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    child.onMessage((messages) => resolve((messages as readonly ReplicaMessage[])[0]));
    void child.exited.then(resolve);
    const first = await promise;
    signal.removeEventListener("abort", onAbort);
    if (first !== undefined && "type" in first && first.type === "ready")
      return new ReplicaProcess(child, first.health, patience);
    const exit = await child.stop(0);
    signal.throwIfAborted();
    if (first !== undefined && "type" in first && first.type === "refused")
      throw new AppError(first.failure.code, first.failure.message, { details: { ...first.failure.details } });
    throw new ReplicaDiedError(`The replica's process ended while it loaded the model: ${describeExit(exit)}`);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Calls without an answer yet. */
  get inFlight(): number {
    return this.#pending.size;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** As of the last ping. */
  get health(): ReplicaHealth {
    return this.#health;
  }

  get exited(): Promise<ChildExit> {
    return this.#child.exited;
  }

  /** @throws AppError of the replica; ReplicaDiedError; `signal.reason`. */
  async call(call: ReplicaCall, signal: AbortSignal): Promise<ReplicaAnswer> {
    signal.throwIfAborted();
    if (this.#hasEnded) throw new ReplicaDiedError("The replica's process has ended.");
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<ReplicaAnswer>();
    this.#pending.set(id, { resolve, reject });
    const onAbort = (): void => {
      this.#outbox.add({ type: "cancel", id });
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#outbox.add({ type: "call", id, call });
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#pending.delete(id);
    }
  }

  /** Ends the process; calls under way fail with ReplicaDiedError. */
  stop(): Promise<ChildExit> {
    return this.#child.stop();
  }

  #take(message: ReplicaMessage): void {
    this.#heardMs = performance.now();
    switch (message.type) {
      case "answer":
        this.#pending.get(message.id)?.resolve(message.answer);
        break;
      case "failure": {
        const { code, message: text, details } = message.failure;
        this.#pending.get(message.id)?.reject(new AppError(code, text, { details: { ...details } }));
        break;
      }
      case "pong":
        this.#health = message.health;
        break;
      case "ready":
      case "refused":
        break;
    }
  }

  #ping(silenceMs: number): void {
    if (performance.now() - this.#heardMs > silenceMs) void this.#child.stop(0);
    else this.#outbox.add({ type: "ping" });
  }

  #end(exit: ChildExit): void {
    this.#hasEnded = true;
    clearInterval(this.#pings);
    const error = new ReplicaDiedError(`The replica's process ended: ${describeExit(exit)}`);
    for (const { reject } of this.#pending.values()) reject(error);
  }
}

/** How a process ended, in words. */
export const describeExit = ({ code, signal, lastLines }: ChildExit): string =>
  `${signal === null ? `exit code ${code}` : `signal ${signal}`}${lastLines === "" ? "" : `: ${lastLines}`}`;
