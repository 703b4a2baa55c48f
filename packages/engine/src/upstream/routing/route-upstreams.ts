import { EngineClosedError, EngineRequestError, EngineRunError } from "../../errors.ts";
import type { GenerationEvent } from "../../language/answer.ts";
import type { CallOptions, LanguageCard, LanguageEngine, LanguageLoad } from "../../language/language-engine.ts";
import { chooseUpstream } from "./choice.ts";

/** One of several engines of the same model. */
export interface UpstreamRoute {
  /** Asked whether it is available where it can tell, as upstreams can. */
  readonly engine: LanguageEngine & { isAvailable?(): boolean };
  /** Its share among those of its priority, from 0. */
  readonly weight: number;
  /** Lower ones first: the others are what a call falls back to. */
  readonly priority: number;
}

/**
 * Several engines as one. A call that fails before its first piece goes to another, each at most once; one that has begun
 * stays where it is. What is the caller's fault is told, and not tried elsewhere.
 * @param random from 0 to below 1.
 * @throws RangeError for no engines, or weights and priorities that make no sense.
 */
export function routeUpstreams(routes: readonly UpstreamRoute[], random: () => number = Math.random): LanguageEngine {
  if (routes.length === 0) throw new RangeError("routeUpstreams: expected at least one engine, received none");
  for (const [i, { weight, priority }] of routes.entries())
    if (!(Number.isFinite(weight) && weight >= 0 && Number.isFinite(priority)))
      throw new RangeError(
        `routeUpstreams: route ${i}: expected a weight from 0 and a finite priority, received ${weight} and ${priority}`,
      );
  return new RoutedEngine(routes, random);
}

class RoutedEngine implements LanguageEngine {
  readonly card: LanguageCard;
  readonly #routes: readonly UpstreamRoute[];
  readonly #random: () => number;
  #isClosed = false;

  constructor(routes: readonly UpstreamRoute[], random: () => number) {
    this.#routes = routes;
    this.#random = random;
    this.card = commonCard(routes.map(({ engine }) => engine.card));
  }

  load(): LanguageLoad {
    const loads = this.#routes.map(({ engine }) => engine.load());
    const sum = (of: (load: LanguageLoad) => number) => loads.reduce((total, load) => total + of(load), 0);
    return {
      slots: sum((load) => load.slots),
      busySlots: sum((load) => load.busySlots),
      waiting: sum((load) => load.waiting),
    };
  }

  /** False when none is. */
  isAvailable(): boolean {
    return !this.#isClosed && this.#routes.some(({ engine }) => engine.isAvailable?.() ?? true);
  }

  chat(request: Parameters<LanguageEngine["chat"]>[0], options: CallOptions): AsyncGenerator<GenerationEvent> {
    return this.#pieces((engine) => engine.chat(request, options), options);
  }

  complete(request: Parameters<LanguageEngine["complete"]>[0], options: CallOptions): AsyncGenerator<GenerationEvent> {
    return this.#pieces((engine) => engine.complete(request, options), options);
  }

  embed(inputs: Parameters<LanguageEngine["embed"]>[0], options: CallOptions) {
    return this.#one((engine) => engine.embed(inputs, options), options);
  }

  rerank(request: Parameters<LanguageEngine["rerank"]>[0], options: CallOptions) {
    return this.#one((engine) => engine.rerank(request, options), options);
  }

  countTokens(request: Parameters<LanguageEngine["countTokens"]>[0], options: CallOptions): Promise<number> {
    return this.#one((engine) => engine.countTokens(request, options), options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#routes.map(({ engine }) => engine.close()));
  }

  async #one<T>(ask: (engine: LanguageEngine) => Promise<T>, options: CallOptions): Promise<T> {
    const pieces = this.#pieces(async function* (engine) {
      yield await ask(engine);
    }, options);
    for await (const piece of pieces) return piece;
    throw new Error("unreachable: an answer is one piece");
  }

  async *#pieces<T>(ask: (engine: LanguageEngine) => AsyncIterable<T>, { signal }: CallOptions): AsyncGenerator<T> {
    const failed = new Set<number>();
    let last: unknown;
    for (;;) {
      signal.throwIfAborted();
      if (this.#isClosed) throw new EngineClosedError();
      const candidates = this.#routes.map(({ engine, weight, priority }, i) => ({
        weight,
        priority,
        isAvailable: !failed.has(i) && (engine.isAvailable?.() ?? true),
      }));
      const place = chooseUpstream(candidates, this.#random());
      const route = place === undefined ? undefined : this.#routes[place];
      if (place === undefined || route === undefined)
        throw last ?? new EngineRunError("none of the model's servers is available now");
      let hasBegun = false;
      try {
        for await (const piece of ask(route.engine)) {
          hasBegun = true;
          yield piece;
        }
        return;
      } catch (error) {
        if (hasBegun || signal.aborted || error instanceof EngineRequestError) throw error;
        failed.add(place);
        last = error;
      }
    }
  }
}

/** What every one of them can do: a call must not depend on where it goes. */
function commonCard(cards: readonly LanguageCard[]): LanguageCard {
  const [first] = cards;
  if (first === undefined) throw new RangeError("routeUpstreams: expected at least one engine, received none");
  const all = (ability: keyof LanguageCard["abilities"]) => cards.every(({ abilities }) => abilities[ability]);
  const lengths = new Set(cards.map(({ embeddingLength }) => embeddingLength));
  if (all("embed") && lengths.size > 1)
    throw new RangeError(`routeUpstreams: expected embeddings of one length, received ${[...lengths].join(", ")}`);
  return {
    ...first,
    contextLength: Math.min(...cards.map(({ contextLength }) => contextLength)),
    abilities: {
      complete: all("complete"),
      chat: all("chat"),
      embed: all("embed"),
      rerank: all("rerank"),
      images: all("images"),
    },
  };
}
