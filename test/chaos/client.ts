/** @file One client of the chaos test: sends each piece of work until it is answered, now and then twice, now and then hanging up. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "./random.ts";

/** What the clients know to be answered. */
export interface Count {
  requests: number;
  rows: number;
  events: number;
  units: number;
}

/** Where work goes, and whose it is. */
export interface Target {
  readonly url: string;
  readonly key: string;
  /** Ends all. */
  readonly signal: AbortSignal;
}

/** One piece of work: the same bytes each time that it is sent. */
interface Work {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly check: (answer: unknown) => void;
  readonly count: (total: Count) => void;
}

/** Answers that say: not now. Everything else but success is a fault. */
const retried: ReadonlySet<number> = new Set([408, 409, 429, 499, 503]);

/** Works through so many pieces, one after the other; `onAnswered` after each. */
export async function client(
  name: string,
  pieces: number,
  target: Target,
  random: Random,
  onAnswered: (count: Work["count"]) => void,
): Promise<void> {
  for (let piece = 0; piece < pieces; piece++) {
    const work = random.below(2) === 0 ? inference(`${name}-${piece}`, random) : events(`${name}-${piece}`, random);
    await until(work, target, random);
    onAnswered(work.count);
  }
}

async function until(work: Work, target: Target, random: Random): Promise<void> {
  for (;;) {
    target.signal.throwIfAborted();
    const tries = [send(work, target, random), ...(random.below(10) === 0 ? [send(work, target, random)] : [])];
    if ((await Promise.all(tries)).includes(true)) return;
    await sleep(random.below(50));
  }
}

/** True when it was answered. */
async function send(work: Work, { url, key, signal }: Target, random: Random): Promise<boolean> {
  // One in twenty hangs up while the server works on it.
  const hangUp = random.below(20) === 0 ? AbortSignal.timeout(1 + random.below(10)) : undefined;
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(`${url}${work.path}`, {
      method: "POST",
      headers: { ...work.headers, authorization: `Bearer ${key}` },
      body: work.body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(30_000), ...(hangUp === undefined ? [] : [hangUp])]),
    });
    text = await answer.text();
  } catch {
    return false; // killed, hung up, or not listening yet
  }
  if (answer.ok) {
    work.check(JSON.parse(text));
    return true;
  }
  if (retried.has(answer.status)) return false;
  throw new Error(`${work.path} was answered ${answer.status}: ${text}`);
}

function inference(id: string, random: Random): Work {
  const rows = 1 + random.below(4);
  const data = Array.from({ length: rows * 3 }, () => random.below(1000));
  return {
    path: "/v2/models/chaos/infer",
    headers: { "content-type": "application/json", "idempotency-key": id },
    body: JSON.stringify({ inputs: [{ name: "x", datatype: "FP32", shape: [rows, 3], data }] }),
    check: (answer) => {
      const { outputs } = answer as { outputs: { data: number[] }[] };
      const expected = data.map((value) => value * 2);
      if (JSON.stringify(outputs[0]?.data) !== JSON.stringify(expected)) throw new Error(`${id}: a wrong answer`);
    },
    count: (total) => {
      total.requests += 1;
      total.rows += rows;
    },
  };
}

function events(id: string, random: Random): Work {
  const batch = Array.from({ length: 1 + random.below(5) }, (_, index) => ({
    specversion: "1.0",
    id: `${id}-${index}`,
    source: "chaos",
    type: "chaos.unit",
    data: { units: 1 + random.below(9) },
  }));
  return {
    path: "/api/events",
    // Without an idempotency key: the events' own ids tell a repeat.
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify(batch),
    check: (answer) => {
      const { accepted, duplicates } = answer as { accepted: number; duplicates: number };
      if (accepted + duplicates !== batch.length) throw new Error(`${id}: ${JSON.stringify(answer)}`);
    },
    count: (total) => {
      total.events += batch.length;
      total.units += batch.reduce((sum, { data }) => sum + data.units, 0);
    },
  };
}
