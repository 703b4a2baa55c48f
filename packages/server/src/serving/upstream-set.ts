/** @file The upstreams of one revision: calls go to one of them by weight and priority, and to another when it fails before its first piece. */
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type ProjectId } from "@gristmill/contract";
import {
  EngineInputError,
  type GenerationEvent,
  type LanguageCard,
  type LanguageEngine,
  routeUpstreams,
} from "@gristmill/engine";
import type { CalledUpstreams, LiveUpstream } from "../upstreams/index.ts";
import type { AnsweringSet } from "./answering-set.ts";
import { OpenedEvents } from "./opened-events.ts";
import { toFailure } from "./replica/failure.ts";
import type { AnswerTo, GenerateCall, ReplicaCall } from "./replica/protocol.ts";
import type { CalledUpstream, DeploymentFailure } from "./store.ts";

/** What a set is made from. */
export interface UpstreamSetParts {
  /** For messages: 'deployment "chat"'. */
  readonly name: string;
  readonly projectId: ProjectId;
  readonly called: readonly CalledUpstream[];
  readonly upstreams: CalledUpstreams;
}

/** Calls under way get this long when the set is to stop. */
const drainMs = 30_000;

interface Held {
  readonly called: CalledUpstream;
  readonly live: LiveUpstream;
  readonly off: () => void;
}

/** Calls run in this process: there is no replica, and nothing native. */
export class UpstreamSet implements AnsweringSet {
  readonly failure = undefined;
  readonly refusal = undefined;
  readonly #parts: UpstreamSetParts;
  #held: Held[] = [];
  readonly #listeners = new Set<() => void>();
  #inFlight = 0;
  #wasReady = false;
  #isStopping = false;
  #card: LanguageCard | undefined;

  constructor(parts: UpstreamSetParts) {
    this.#parts = parts;
  }

  get readyCount(): number {
    return this.#held.filter(({ live }) => live.isAvailable).length;
  }

  get wasReady(): boolean {
    return this.#wasReady;
  }

  get trouble(): DeploymentFailure | undefined {
    const troubles = this.#held.flatMap(({ live }) => live.trouble ?? []);
    return troubles.length === 0 ? undefined : { code: "upstream.failed", message: troubles.join("; ") };
  }

  get card(): LanguageCard | undefined {
    return this.#card;
  }

  isComplete(): boolean {
    return this.readyCount === this.#parts.called.length;
  }

  toWire(): [] {
    return [];
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Upstreams are reached as long as there is to be any replica: their number is their own. */
  async scale(count: number): Promise<void> {
    const { upstreams, projectId, called } = this.#parts;
    if (count === 0) return await this.stop();
    if (this.#held.length > 0 || this.#isStopping) return;
    this.#held = called.map((one) => {
      const live = upstreams.acquire(projectId, one);
      return { called: one, live, off: live.onChange(() => this.#changed()) };
    });
    this.#changed();
  }

  /** One that answers is enough: the others may be away for long. @throws `signal.reason`. */
  async whenReady(_want: "all" | "first", signal: AbortSignal): Promise<void> {
    while (this.readyCount === 0) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const off = this.onChange(resolve);
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      await promise.finally(() => {
        off();
        signal.removeEventListener("abort", onAbort);
      });
    }
  }

  async call<C extends ReplicaCall>(call: C, signal: AbortSignal): Promise<AnswerTo<C>> {
    const engine = this.#route();
    this.#inFlight++;
    try {
      return (await answerOf(engine, call, signal)) as AnswerTo<C>;
    } catch (error) {
      throw toAppError(error, signal);
    } finally {
      this.#inFlight--;
    }
  }

  async generate(call: GenerateCall, signal: AbortSignal): Promise<AsyncIterable<GenerationEvent>> {
    const engine = this.#route();
    this.#inFlight++;
    return await OpenedEvents.open(eventsOf(engine, call, signal), signal, () => this.#inFlight--);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const endMs = performance.now() + drainMs; this.#inFlight > 0 && performance.now() < endMs; ) await sleep(5);
    const held = this.#held;
    this.#held = [];
    for (const { off } of held) off();
    await Promise.all(held.map(({ called }) => this.#parts.upstreams.release(called.id)));
  }

  /** Those that answered when last asked; where none did, all: a call may be luckier than a probe. */
  #route(): LanguageEngine {
    const connected = this.#connected();
    const available = connected.filter(({ live }) => live.isAvailable);
    const routes = available.length > 0 ? available : connected;
    if (routes.length === 0 || this.#isStopping) {
      const why = this.trouble === undefined ? "" : ` ${this.trouble.message}`;
      throw new AppError("deployment.not_ready", `No upstream of ${this.#parts.name} was reached yet.${why}`);
    }
    return routed(routes);
  }

  #connected() {
    return this.#held.flatMap(({ called: { weight, priority }, live }) =>
      live.engine === undefined ? [] : [{ engine: live.engine, live, weight, priority }],
    );
  }

  #changed(): void {
    const connected = this.#connected();
    if (connected.length > 0) this.#card = cardOf(connected) ?? this.#card;
    if (this.readyCount > 0) this.#wasReady = true;
    for (const listener of [...this.#listeners]) listener();
  }
}

type Routes = Parameters<typeof routeUpstreams>[0];

/** @throws AppError `upstream.failed` for upstreams that can't stand for each other. */
function routed(routes: Routes): LanguageEngine {
  try {
    return routeUpstreams(routes);
  } catch (cause) {
    throw new AppError("upstream.failed", cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** What all of them can do; undefined: they can't stand for each other, which the first call tells. */
function cardOf(routes: Routes): LanguageCard | undefined {
  try {
    return routeUpstreams(routes).card;
  } catch {
    return undefined;
  }
}

async function answerOf(engine: LanguageEngine, call: ReplicaCall, signal: AbortSignal) {
  switch (call.type) {
    case "embed":
      return await engine.embed(call.inputs, { signal });
    case "rerank":
      return await engine.rerank(call.request, { signal });
    case "countTokens":
      return { tokens: await engine.countTokens(call.of, { signal }) };
    case "infer":
    case "classify":
      throw new EngineInputError("", "text: it is a language model", "tensors or an image");
  }
}

async function* eventsOf(
  engine: LanguageEngine,
  { kind, request }: GenerateCall,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent, void, undefined> {
  try {
    yield* kind === "chat" ? engine.chat(request, { signal }) : engine.complete(request, { signal });
  } catch (error) {
    throw toAppError(error, signal);
  }
}

/** What an engine here would have failed with is told as the upstream's failure. */
function toAppError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || error instanceof AppError) return error;
  const { code, message, details } = toFailure(error);
  return new AppError(code === "engine.failed" ? "upstream.failed" : code, message, {
    details: { ...details },
    cause: error,
  });
}
