/** @file The load generator of serve-cnn and pipeline, a process of its own: reads one job from its standard input, writes what it saw to its standard output. */
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import autocannon from "autocannon";

/** One load: so many connections, each sending its next request when the last one is answered. */
export interface LoadJob {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBase64: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second of all connections together; default: as many as are answered. */
  readonly rate?: number;
}

/** What it saw. Times in ms, from the request's first byte to the answer's last. */
export interface LoadResult {
  readonly answered: number;
  /** Answers by status, and connections that failed. */
  readonly failures: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  /** Of this process. */
  readonly cpuSeconds: number;
}

const job = JSON.parse(await text(process.stdin)) as LoadJob;
// Autocannon's own histogram counts whole milliseconds; these answers take less than one.
const times: number[] = [];
const failures: Record<string, number> = {};
const count = (what: string): void => {
  failures[what] = (failures[what] ?? 0) + 1;
};
const start = performance.now();
await (job.rate === undefined ? asFastAsAnswered() : evenly(job.rate));
const seconds = (performance.now() - start) / 1000;
times.sort((a, b) => a - b);
const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
const { user, system } = process.cpuUsage();
const result: LoadResult = {
  answered: times.length,
  failures,
  seconds,
  p50: at(0.5),
  p99: at(0.99),
  cpuSeconds: (user + system) / 1e6,
};
process.stdout.write(JSON.stringify(result));

async function asFastAsAnswered(): Promise<void> {
  // With a callback it returns the emitter; without, only a promise.
  const finished = Promise.withResolvers<void>();
  const run = autocannon(
    {
      url: job.url,
      method: "POST",
      headers: job.headers,
      body: Buffer.from(job.bodyBase64, "base64"),
      connections: job.connections,
      duration: job.seconds,
    },
    (error: unknown) => (error ? finished.reject(error) : finished.resolve()),
  );
  run.on("response", (_client, statusCode, _bytes, responseTime) => {
    if (statusCode === 200) times.push(responseTime);
    else count(String(statusCode));
  });
  run.on("reqError", () => count("connection"));
  await finished.promise;
}

/** Sends each request at its time, whatever became of the others, and counts from that time on. Autocannon would send bursts. */
async function evenly(rate: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: job.connections });
  const body = Buffer.from(job.bodyBase64, "base64");
  const send = (dueMs: number): Promise<void> =>
    new Promise((resolve) => {
      const call = request(job.url, {
        agent,
        method: "POST",
        headers: { ...job.headers, "content-length": body.length },
      });
      call.once("response", (response) => {
        response.resume().once("end", () => {
          if (response.statusCode === 200) times.push(performance.now() - dueMs);
          else count(String(response.statusCode));
          resolve();
        });
      });
      call.once("error", () => {
        count("connection");
        resolve();
      });
      call.end(body);
    });
  const sent: Promise<void>[] = [];
  while (sent.length < rate * job.seconds) {
    // Timers count whole milliseconds, so what is due by now is sent now.
    for (let dueMs = start; dueMs <= performance.now() && sent.length < rate * job.seconds; ) {
      dueMs = start + (sent.length * 1000) / rate;
      if (dueMs <= performance.now()) sent.push(send(dueMs));
    }
    await sleep(1);
  }
  await Promise.all(sent);
  agent.destroy();
}
