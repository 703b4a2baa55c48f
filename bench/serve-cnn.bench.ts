/**
 * @file Serving speed: the reference CNN over real HTTP, with authentication, durable metering and batching on, single-image
 * requests at 1, 16 and 64 connections, beside the raw session on the same machine in the same run. The platform, its
 * replicas, PostgreSQL and the load generator are processes of their own, and share the machine's cores.
 * Arguments: `--seconds N` for each load (default 5), `--threads N` for each replica, `--profile FOLDER` to write a CPU
 * profile of main and replicas there.
 *
 * Where the time goes: the table's last columns are the CPU time that a request costs in each process, from
 * /proc/<pid>/stat. They say that the model itself (0.08 ms) is the smallest part: at 64 clients main spends 0.28 to
 * 0.33 ms on a request (HTTP, JSON, the pipeline, two group commits, the log), the load generator 0.10, PostgreSQL 0.12
 * to 0.15, the replica 0.09 batched and 0.21 to 0.24 unbatched; at 1 client each of them also pays for waking up, and
 * for two commits of its own. Batching gains what it saves in the replica, so little for a model as small as this one.
 * (2 cores shared with other work, 2026-11.)
 *
 * What was found with it: sessions whose threads spin between runs cost 3 to 6 ms of CPU a request at 1 client, so served
 * models sleep instead (0.7 ms); after a vacuum PostgreSQL read the table of claims from end to end (0.5 ms became 3: MET14).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { CreatedKey, Deployment, UsageReport } from "@gristmill/contract";
import { conv2d, dense, flatten, maxPooling2d, Sequential } from "@gristmill/nn";
import { createSession, encodeModel, type Session, tensor } from "@gristmill/onnx";
import { load } from "./load.ts";
import type { LoadJob } from "./serve-cnn.load.ts";

const connectionCounts = [1, 16, 64] as const;
/** Same model, with and without company. */
const deployments = { batched: 32, single: 1 } as const;
/** Ticks of /proc/<pid>/stat a second, on every Linux. */
const ticksPerSecond = 100;
const pixels = Float32Array.from({ length: 28 * 28 }, (_, i) => ((i * 37) % 256) / 255);

/** Prints the figures; leaves nothing behind. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: "string", default: "5" }, threads: { type: "string" }, profile: { type: "string" } },
  });
  const seconds = Number(values.seconds);
  const model = encodeModel(referenceCnn().toOnnx());
  const raw = await measureRaw(model, values.threads === undefined ? undefined : Number(values.threads));
  await using platform = await Platform.start(values.profile);
  const key = await platform.deploy(model, values.threads === undefined ? {} : { threads: Number(values.threads) });
  console.log(`raw session, 1 image: ${raw.oneMs.toFixed(3)} ms (p50), 32 images: ${raw.manyMs.toFixed(3)} ms\n`);
  console.log(`${" ".repeat(53)}added  CPU ms a request in`);
  console.log("form      max batch  clients   requests/s   p50 ms   p99 ms  to raw   main  replica  postgres   load");
  let answered = 0;
  const perSecond = new Map<string, number>();
  for (const [form, request] of Object.entries(requestForms))
    for (const [deployment, maxBatch] of Object.entries(deployments))
      for (const connections of connectionCounts) {
        const job: LoadJob = {
          url: `${platform.url}/v2/models/${deployment}/infer`,
          headers: { authorization: `Bearer ${key}`, ...request.headers },
          bodyBase64: Buffer.from(request.body).toString("base64"),
          connections,
          seconds,
        };
        answered += (await load({ ...job, seconds: 1 })).answered; // plans, caches, compiled code
        const before = platform.cpuSeconds();
        const result = await load(job);
        const after = platform.cpuSeconds();
        answered += result.answered;
        perSecond.set(`${form} ${deployment} ${connections}`, result.answered / result.seconds);
        const cost = (one: keyof typeof after): string =>
          (((after[one] - before[one]) * 1000) / result.answered).toFixed(3);
        const cells = [
          form.padEnd(8),
          String(maxBatch).padStart(10),
          String(connections).padStart(8),
          (result.answered / result.seconds).toFixed(0).padStart(12),
          result.p50.toFixed(2).padStart(8),
          result.p99.toFixed(2).padStart(8),
          (result.p50 - raw.oneMs).toFixed(2).padStart(7),
          cost("main").padStart(6),
          cost("replicas").padStart(8),
          cost("postgres").padStart(9),
          ((result.cpuSeconds * 1000) / result.answered).toFixed(3).padStart(6),
        ];
        console.log(cells.join(" "));
        if (Object.keys(result.failures).length > 0)
          console.log(`         failures: ${JSON.stringify(result.failures)}`);
      }
  const gain = (connections: number, form: string): string =>
    (
      (perSecond.get(`${form} batched ${connections}`) ?? 0) / (perSecond.get(`${form} single ${connections}`) ?? 1)
    ).toFixed(2);
  console.log(`\ngain of batching, requests/s at 64 clients: JSON ${gain(64, "json")}, binary ${gain(64, "binary")}`);
  console.log(await platform.metered(answered));
}

/** Examples' network, untrained: speed does not depend on the weights' values. */
function referenceCnn(): Sequential {
  const layers = [
    conv2d(32, 3, { activation: "relu", inputShape: [28, 28, 1] }),
    maxPooling2d(2),
    flatten(),
    dense(128, { activation: "relu" }),
    dense(10, { activation: "softmax" }),
  ];
  return new Sequential(layers, { seed: 1 });
}

async function measureRaw(model: Uint8Array, threads: number | undefined): Promise<{ oneMs: number; manyMs: number }> {
  const session = await createSession(model, threads === undefined ? {} : { threads });
  try {
    return { oneMs: await medianMs(session, 1, 2000), manyMs: await medianMs(session, 32, 200) };
  } finally {
    await session.close();
  }
}

async function medianMs(session: Session, rows: number, runs: number): Promise<number> {
  const data = Float32Array.from({ length: rows * pixels.length }, (_, i) => pixels[i % pixels.length] ?? 0);
  const feeds = { [session.inputs[0]?.name ?? ""]: tensor("float32", [rows, 28, 28, 1], data) };
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? Number.NaN;
}

/** The same image as JSON numbers, and as bytes after a short JSON head (Triton's binary tensor data). */
const requestForms = {
  json: {
    headers: { "content-type": "application/json" },
    body: Buffer.from(
      JSON.stringify({ inputs: [{ name: "input", shape: [1, 28, 28, 1], datatype: "FP32", data: [...pixels] }] }),
    ),
  },
  binary: binaryRequest(),
} as const;

function binaryRequest(): { headers: Record<string, string>; body: Buffer } {
  const bytes = Buffer.from(pixels.buffer);
  const head = Buffer.from(
    JSON.stringify({
      inputs: [
        { name: "input", shape: [1, 28, 28, 1], datatype: "FP32", parameters: { binary_data_size: bytes.byteLength } },
      ],
      parameters: { binary_data_output: true },
    }),
  );
  const headers = {
    "content-type": "application/octet-stream",
    "inference-header-content-length": String(head.byteLength),
  };
  return { headers, body: Buffer.concat([head, bytes]) };
}

/** The real platform as a process, on a temporary home. */
class Platform {
  readonly url: string;
  readonly #home: string;
  readonly #process: ChildProcess;
  readonly #replicas: number[] = [];

  private constructor(url: string, home: string, child: ChildProcess) {
    this.url = url;
    this.#home = home;
    this.#process = child;
  }

  static async start(profile: string | undefined): Promise<Platform> {
    const home = mkdtempSync(join(tmpdir(), "gristmill-serve-"));
    const port = await freePort();
    const profiling = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
    const child = spawn(process.execPath, [...profiling, "packages/server/src/main.ts"], {
      env: { PATH: process.env["PATH"], GRISTMILL_HOME: home, GRISTMILL_PORT: String(port) },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const platform = new Platform(`http://127.0.0.1:${port}`, home, child);
    for (let tries = 0; tries < 600; tries++) {
      const isReady = await fetch(`${platform.url}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
      if (isReady) return platform;
      if (child.exitCode !== null) break;
      await sleep(50);
    }
    await platform[Symbol.asyncDispose]();
    throw new Error("the platform did not become ready");
  }

  /** Registers the model and deploys it in each way; gives a key that may only infer. */
  async deploy(model: Uint8Array, settings: { readonly threads?: number }): Promise<string> {
    await this.#call("POST", "/api/models/cnn/versions", model);
    for (const [name, maxBatch] of Object.entries(deployments)) {
      const batching = { max_batch_size: maxBatch };
      await this.#call("POST", "/api/deployments", { name, model: "cnn", batching, ...settings });
      let deployment: Deployment;
      do {
        await sleep(50);
        deployment = await this.#call("GET", `/api/deployments/${name}`);
        if (deployment.status === "failed") throw new Error(deployment.error?.message);
      } while (deployment.status !== "ready");
      this.#replicas.push(...deployment.replicas.flatMap(({ pid }) => pid ?? []));
    }
    const { key } = await this.#call<CreatedKey>("POST", "/api/keys", { name: "bench", scopes: ["inference"] });
    return key;
  }

  cpuSeconds(): { readonly main: number; readonly replicas: number; readonly postgres: number } {
    const sum = (pids: readonly number[]): number => pids.reduce((total, pid) => total + cpuSecondsOf(pid), 0);
    return { main: sum([this.#process.pid ?? 0]), replicas: sum(this.#replicas), postgres: sum(this.#postgres()) };
  }

  /** Says whether each answer is one usage event. */
  async metered(answered: number): Promise<string> {
    const usage = await this.#call<UsageReport>("GET", "/api/usage?meter=service.requests");
    const events = usage.data.reduce((total, row) => total + row.events, 0);
    return `answers that the load generators saw: ${answered}; service.requests in the ledger: ${events} (each load ends by cutting its connections: what was under way is answered and counted, and not seen)`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill("SIGTERM");
      await once(this.#process, "exit");
    }
    // As root, the database lies where its own user may enter, and the home says where.
    const place = join(this.#home, "postgres-folder");
    if (existsSync(place)) rmSync(readFileSync(place, "utf8").trim(), { recursive: true, force: true });
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** Sessions carry the cluster's name, which is the home's, in their title. */
  #postgres(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => readOrEmpty(`/proc/${pid}/cmdline`).includes(`gristmill:${this.#home}`))
      .map(Number);
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const isBytes = body instanceof Uint8Array;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${readFileSync(join(this.#home, "admin-key"), "utf8").trim()}`,
        ...(body === undefined ? {} : { "content-type": isBytes ? "application/octet-stream" : "application/json" }),
      },
      ...(body === undefined ? {} : { body: isBytes ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
}

/** User and system time of a process with all its threads; 0 when it is gone. */
function cpuSecondsOf(pid: number): number {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
