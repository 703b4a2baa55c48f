/** @file One replica process, from main's side: calls in, answers out, until it ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "@gristmill/contract";
import type { GenerationEvent, LanguageCard } from "@gristmill/engine";
import type { Child, ChildExit, Children } from "../children/index.ts";
import { EventQueue } from "./event-queue.ts";
import { Outbox } from "./replica/outbox.ts";
import {
  type AnswerTo,
  eventWindow,
  type GenerateCall,
  type MainMessage,
  type ReplicaAnswer,
  type ReplicaCall,
  type ReplicaHealth,
  type ReplicaMessage,
  type ReplicaStart,
} from "./replica/protocol.ts";

/** The process ended while it worked on a call: the call may be made again elsewhere. */
export class ReplicaDiedError extends Error {
  override readonly name = "ReplicaDiedError";
}

const entry = join(import.meta.dirname, "replica", "main.ts");
/** How often a replica is asked, and how long it may be silent: a run blocks its process, so longer than any sensible run. */
const defaultPatience = { pingMs: 1000, silenceMs: 120_000 };

/** Where node-llama-cpp looks for the C library, to know which of its binaries fits. */
const libraryFolders = process.platform === "linux" ? ["/lib", "/lib64", "/usr/lib", "/usr/lib64"] : [];

interface StartOptions {
  readonly name: string;
  readonly start: ReplicaStart;
  readonly signal: AbortSignal;
  readonly patience?: typeof defaultPatience;
}

interface Pending {
  resolve(answer: ReplicaAnswer): void;
  reject(error: unknown): void;
}

/** A process that is ready to answer. */
export class ReplicaProcess {
  readonly #child: Child;
  readonly #outbox: Outbox<MainMessage>;
  readonly #pending = new Map<number, Pending>();
  readonly #streams = new Map<number, EventQueue>();
  /** What a language model can do; null: it is none. */
  readonly card: LanguageCard | null;
  readonly #pings: NodeJS.Timeout;
  #health: ReplicaHealth;
  #heardMs = performance.now();
  #lastId = 0;
  #hasEnded = false;

  private constructor(
    child: Child,
    { health, card }: Extract<ReplicaMessage, { type: "ready" }>,
    patience: typeof defaultPatience,
  ) {
    this.#child = child;
    this.#health = health;
    this.card = card;
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
  static async start(children: Children, options: StartOptions): Promise<ReplicaProcess> {
    const { start, signal } = options;
    signal.throwIfAborted();
    const { engine } = start.settings;
    const readPaths = [start.artifactPath, ...(engine === "onnx" ? [] : libraryFolders)];
    if (engine !== "onnx-language") return await ReplicaProcess.#started(children, { ...options, readPaths });
    const scratchFolder = await mkdtemp(join(tmpdir(), "gristmill-replica-"));
    try {
      return await ReplicaProcess.#started(children, { ...options, start: { ...start, scratchFolder }, readPaths });
    } finally {
      await rm(scratchFolder, { recursive: true, force: true });
    }
  }

  static async #started(
    children: Children,
    { name, start, signal, patience = defaultPatience, readPaths }: StartOptions & { readonly readPaths: string[] },
  ): Promise<ReplicaProcess> {
    const writePaths = start.scratchFolder === undefined ? [] : [start.scratchFolder];
    const child = await children.start({ name, entry, readPaths, writePaths, start });
    const { promise, resolve } = Promise.withResolvers<ReplicaMessage | undefined | ChildExit>();
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    child.onMessage((messages) => resolve((messages as readonly ReplicaMessage[])[0]));
    void child.exited.then(resolve);
    const first = await promise;
    signal.removeEventListener("abort", onAbort);
    if (first !== undefined && "type" in first && first.type === "ready")
      return new ReplicaProcess(child, first, patience);
    const exit = await child.stop(0);
    signal.throwIfAborted();
    if (first !== undefined && "type" in first && first.type === "refused")
      throw new AppError(first.failure.code, first.failure.message, { details: { ...first.failure.details } });
    throw new ReplicaDiedError(`The replica's process ended while it loaded the model: ${describeExit(exit)}`);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Calls without an answer, and generations without an end, yet. */
  get inFlight(): number {
    return this.#pending.size + this.#streams.size;
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
  async call<C extends ReplicaCall>(call: C, signal: AbortSignal): Promise<AnswerTo<C>> {
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
      return (await promise) as AnswerTo<C>;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#pending.delete(id);
    }
  }

  /**
   * Events of a generation, until its end. Aborting, or ending the iteration, ends it in the replica too.
   * @throws as `call`.
   */
  async *generate(call: GenerateCall, signal: AbortSignal): AsyncGenerator<GenerationEvent, void, undefined> {
    signal.throwIfAborted();
    if (this.#hasEnded) throw new ReplicaDiedError("The replica's process has ended.");
    const id = ++this.#lastId;
    const queue = new EventQueue();
    this.#streams.set(id, queue);
    const end = (): void => {
      if (this.#streams.delete(id) && !queue.isOver) this.#outbox.add({ type: "cancel", id });
    };
    const onAbort = (): void => {
      end(); // also when nobody reads on
      queue.abort(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#outbox.add({ type: "generate", id, call });
    try {
      let read = 0;
      for (let event = await queue.next(); event !== undefined; event = await queue.next()) {
        yield event;
        if (++read < eventWindow / 2) continue;
        this.#outbox.add({ type: "more", id, events: read });
        read = 0;
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      end();
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
      case "event":
        this.#streams.get(message.id)?.push(message.event);
        break;
      case "end":
        this.#streams.get(message.id)?.end();
        break;
      case "failure": {
        const { code, message: text, details } = message.failure;
        const error = new AppError(code, text, { details: { ...details } });
        this.#pending.get(message.id)?.reject(error);
        this.#streams.get(message.id)?.fail(error);
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
    for (const queue of this.#streams.values()) queue.fail(error);
  }
}

/** How a process ended, in words. */
export const describeExit = ({ code, signal, lastLines }: ChildExit): string =>
  `${signal === null ? `exit code ${code}` : `signal ${signal}`}${lastLines === "" ? "" : `: ${lastLines}`}`;
