/** @file One upstream while deployments call it: connected, probed, and connected anew when it is changed. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ProjectId } from "@gristmill/contract";
import type { UpstreamEngine, UpstreamOptions } from "@gristmill/engine";
import type { Log } from "../feature.ts";
import { createGuardedPool, type GuardedPool } from "../net/index.ts";
import type { OpenedUpstream } from "./service.ts";

/** What one is made from. */
export interface LiveUpstreamParts {
  readonly projectId: ProjectId;
  readonly name: string;
  /** As it is stored now. */
  readonly read: () => Promise<OpenedUpstream>;
  readonly allowedAddresses: readonly string[];
  readonly log: Log;
  /** Between two probes of what answers; what does not is asked sooner at first. Default 15,000. */
  readonly probeMs?: number;
}

const defaultProbeMs = 15_000;
const firstRetryMs = 250;
/** Of a probe: its answer is a list of models. */
const probeTimeoutMs = 10_000;

interface Connected {
  readonly engine: UpstreamEngine;
  readonly options: UpstreamOptions;
  readonly pool: GuardedPool;
}

/** Reaches the upstream from its making to `close`. */
export class LiveUpstream {
  readonly #parts: LiveUpstreamParts;
  readonly #end = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #living: Promise<void>;
  readonly #closing = new Set<Promise<void>>();
  #connected: Connected | undefined;
  #trouble: string | undefined;
  /** Aborted when the upstream was changed: what waits goes on at once. */
  #renewal = new AbortController();

  constructor(parts: LiveUpstreamParts) {
    this.#parts = parts;
    this.#living = this.#live();
  }

  get name(): string {
    return this.#parts.name;
  }

  /** undefined: it was not reached yet. */
  get engine(): UpstreamEngine | undefined {
    return this.#connected?.engine;
  }

  /** Why the last probe failed; undefined: it did not. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** True when the last probe was answered, and calls don't fail again and again. */
  get isAvailable(): boolean {
    return this.#trouble === undefined && this.engine?.isAvailable() === true;
  }

  /** Calls after every change of what the others tell; the returned function ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads it again and connects anew; calls under way end where they began. */
  renew(): void {
    const before = this.#renewal;
    this.#renewal = new AbortController();
    before.abort();
  }

  /** Calls under way are broken off. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#living;
    await this.#leave(this.#connected, "now");
    await Promise.all(this.#closing);
  }

  async #live(): Promise<void> {
    const { probeMs = defaultProbeMs } = this.#parts;
    let failures = 0;
    let seen: AbortSignal | undefined;
    while (!this.#end.signal.aborted) {
      const renewed = this.#renewal.signal;
      const signal = AbortSignal.any([this.#end.signal, renewed]);
      try {
        if (this.#connected === undefined || seen !== renewed) await this.#connect(signal);
        else await this.#probe(this.#connected, signal);
        seen = renewed;
        failures = 0;
        this.#became(undefined);
      } catch (error) {
        if (signal.aborted) continue;
        failures++;
        this.#became(error instanceof Error ? error.message : String(error));
      }
      const pauseMs = failures === 0 ? probeMs : Math.min(probeMs, firstRetryMs * 2 ** (failures - 1));
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const opened = await this.#parts.read();
    const { connections, options, pool } = this.#reach(opened);
    try {
      const { connectUpstream } = await import("@gristmill/engine");
      const engine = await connectUpstream({ ...options, ...brief, signal: timed(signal) }).then(({ card }) =>
        // Once more with all its patience, and without asking: what the server told is known now.
        connectUpstream({ ...options, facts: factsOf(card), signal: timed(signal) }),
      );
      const before = this.#connected;
      this.#connected = { engine, options, pool };
      this.#parts.log.info({ upstream: this.name, connections }, "upstream connected");
      const leaving = this.#leave(before, "when idle").finally(() => this.#closing.delete(leaving));
      this.#closing.add(leaving);
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  async #probe({ engine, options }: Connected, signal: AbortSignal): Promise<void> {
    const { connectUpstream } = await import("@gristmill/engine");
    const probe = { ...options, ...brief, facts: factsOf(engine.card), signal: timed(signal) };
    await connectUpstream(probe).then((one) => one.close());
  }

  #reach({ row, secrets: { credentials, headers } }: OpenedUpstream) {
    const { settings } = row;
    const connections = settings.max_concurrent;
    const { allowedAddresses } = this.#parts;
    const pool = createGuardedPool({ origin: new URL(row.base_url).origin, allowedAddresses, connections });
    const options: UpstreamOptions = {
      name: row.name,
      baseUrl: row.base_url,
      model: row.model,
      headers,
      query: row.query,
      ...(credentials === null ? {} : { credentials }),
      ...(row.dialect === null ? {} : { dialect: row.dialect }),
      facts: {
        abilities: settings.abilities,
        ...(settings.context_length === null ? {} : { contextLength: settings.context_length }),
      },
      maxTokensField: settings.max_tokens_field,
      streamUsage: usagePlaces[settings.stream_usage],
      slots: settings.max_concurrent,
      maxQueue: settings.max_queue,
      timeouts: {
        firstTokenMs: settings.timeouts.first_token_ms,
        betweenTokensMs: settings.timeouts.between_tokens_ms,
      },
      retry: { retries: settings.retries },
      fetch: (url, call) => pool.fetch(url, call),
    };
    return { connections, options, pool };
  }

  async #leave(connected: Connected | undefined, when: "now" | "when idle"): Promise<void> {
    if (connected === undefined) return;
    const { engine, pool } = connected;
    const isBusy = () => engine.load().busySlots > 0 || engine.load().waiting > 0;
    while (when === "when idle" && isBusy() && !this.#end.signal.aborted) await sleep(50, undefined, { ref: false });
    await engine.close();
    await pool.close();
  }

  #became(trouble: string | undefined): void {
    const { log, name, projectId } = this.#parts;
    if (trouble !== undefined && trouble !== this.#trouble)
      log.warn({ upstream: name, project: projectId, error: trouble }, "an upstream can't be reached");
    this.#trouble = trouble;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A probe that fails is made again by the loop that makes it. */
const brief = { retry: { retries: 0 }, timeouts: { headMs: probeTimeoutMs, firstTokenMs: probeTimeoutMs } } as const;

const timed = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(2 * probeTimeoutMs)]);

/** What is known of the model is not asked again: a model's vectors would be paid for at each probe. */
const factsOf = ({ contextLength, abilities, embeddingLength }: UpstreamEngine["card"]) => ({
  contextLength,
  abilities,
  ...(embeddingLength > 0 ? { embeddingLength } : {}),
});

const usagePlaces = { last_chunk: "lastChunk", every_chunk: "everyChunk", none: "none" } as const;
