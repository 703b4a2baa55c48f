/**
 * @file The load generator of the ledger's benchmark, a process of its own: sends CloudEvents over keep-alive connections,
 * each sending its next request when the last one is answered, and tells each request's latency.
 */
import { text } from "node:stream/consumers";
import { Pool } from "undici";

/** One load. */
export interface EventLoad {
  readonly origin: string;
  readonly key: string;
  readonly connections: number;
  readonly seconds: number;
  /** Events of one request; 1: in the structured mode, else batches. */
  readonly batch: number;
  /** In every id, so that no load repeats another's. */
  readonly name: string;
}

/** What it saw. */
export interface EventLoadResult {
  /** Of requests whose events were all accepted, in ms. */
  readonly latencies: readonly number[];
  /** Other answers, by what they said. */
  readonly failures: Readonly<Record<string, number>>;
  readonly busyMs: number;
}

const { origin, key, connections, seconds, batch, name } = JSON.parse(await text(process.stdin)) as EventLoad;
const pool = new Pool(origin, { connections, pipelining: 1 });
const latencies: number[] = [];
const failures: Record<string, number> = {};
let next = 0;

function event() {
  const n = next++;
  return {
    specversion: "1.0",
    id: `${name}-${n}`,
    source: "bench/load",
    type: "bench.tokens",
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    data: { tokens: 1 + (n % 900), model: `model-${n % 10}`, deployment: `deployment-${n % 20}`, request: `r${n}` },
  };
}

const headers = {
  authorization: `Bearer ${key}`,
  "content-type": `application/cloudevents${batch === 1 ? "" : "-batch"}+json`,
};
const start = performance.now();
async function sender(): Promise<void> {
  while (performance.now() - start < seconds * 1000) {
    const body = JSON.stringify(batch === 1 ? event() : Array.from({ length: batch }, event));
    const before = performance.now();
    const answer = await pool.request({ method: "POST", path: "/api/events", headers, body });
    const said = (await answer.body.json()) as { accepted?: number };
    if (answer.statusCode === 202 && said.accepted === batch) latencies.push(performance.now() - before);
    else {
      const what = `${answer.statusCode} ${JSON.stringify(said).slice(0, 200)}`;
      failures[what] = (failures[what] ?? 0) + 1;
    }
  }
}
await Promise.all(Array.from({ length: connections }, sender));
const result: EventLoadResult = { latencies, failures, busyMs: performance.now() - start };
await pool.close();
process.stdout.write(JSON.stringify(result));
