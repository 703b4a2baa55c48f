/**
 * @file What the pipeline adds to a service that does nothing: authentication, permission, limits, budget, reservation, handler,
 * durable settlement, answer. The platform with its embedded PostgreSQL, a bare Fastify route and the load generator are processes of
 * their own and share the machine's cores. Three keys: one without any rule; one with limits of requests and tokens a minute on key
 * and organization and of requests at once; one whose project has a hard monthly budget beside all that.
 * Arguments: `--seconds N` for each load (default 4), `--profile FOLDER` to write a CPU profile of the platform there.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import type { CreatedKey, Project } from "@gristmill/contract";
import { load } from "./load.ts";
import type { LoadJob } from "./serve-cnn.load.ts";

/** Connections, and requests a second of all together; undefined: as many as are answered. */
const loads = [
  { connections: 1, rate: undefined },
  { connections: 16, rate: undefined },
  { connections: 16, rate: 1000 },
] as const;
/** Ticks of /proc/<pid>/stat a second, on every Linux. */
const ticksPerSecond = 100;
const body = Buffer.from(JSON.stringify({ input: "hello" })).toString("base64");

/** Prints the figures; leaves nothing behind. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: "string", default: "4" }, profile: { type: "string" } },
  });
  const seconds = Number(values.seconds);
  await using platform = await Server.start("platform", values.profile);
  await using bare = await Server.start("bare", undefined);
  const keys = await makeKeys(platform);
  console.log(`${" ".repeat(45)}                    CPU, share of one core (ms a request)`);
  console.log("service            connections   requests/s   p50 ms   p99 ms   server          PostgreSQL      load");
  for (const { connections, rate } of loads)
    for (const [name, server, key] of [
      ["bare Fastify", bare, ""],
      ["no rules", platform, keys.free],
      ["limits", platform, keys.limited],
      ["limits, budget", platform, keys.budgeted],
    ] as const) {
      const job: LoadJob = {
        url: `${server.url}/nothing`,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        bodyBase64: body,
        connections,
        seconds,
        ...(rate === undefined ? {} : { rate }),
      };
      await load({ ...job, seconds: 1 }); // plans, caches, compiled code
      const before = server.cpuSeconds();
      const result = await load(job);
      const after = server.cpuSeconds();
      const cost = (spent: number): string =>
        `${((100 * spent) / result.seconds).toFixed(0).padStart(3)} % (${((1000 * spent) / result.answered).toFixed(3)})`.padEnd(
          15,
        );
      console.log(
        [
          name.padEnd(18),
          `${connections}${rate === undefined ? "" : ` at ${rate}/s`}`.padStart(11),
          (result.answered / result.seconds).toFixed(0).padStart(12),
          result.p50.toFixed(2).padStart(8),
          result.p99.toFixed(2).padStart(8),
          ` ${cost(after.main - before.main)}`,
          cost(after.postgres - before.postgres),
          cost(result.cpuSeconds),
        ].join(" "),
      );
      if (Object.keys(result.failures).length > 0) console.log(`  failures: ${JSON.stringify(result.failures)}`);
    }
}

interface Keys {
  readonly free: string;
  readonly limited: string;
  readonly budgeted: string;
}

/** Each key in a project of its own; the limits are far above what is sent, so that all is counted and nothing refused. */
async function makeKeys(platform: Server): Promise<Keys> {
  const make = async (name: string): Promise<{ readonly project: Project; readonly key: CreatedKey }> => {
    const project = await platform.call<Project>("/api/projects", { name });
    return { project, key: await platform.call("/api/keys", { name, scopes: ["inference"] }, project.id) };
  };
  const [free, limited, budgeted] = [await make("free"), await make("limited"), await make("budgeted")];
  for (const { project, key } of [limited, budgeted])
    for (const [metric, subject] of [
      ["requests_per_minute", { type: "key", id: key.id }],
      ["tokens_per_minute", { type: "key", id: key.id }],
      ["concurrent_requests", { type: "key", id: key.id }],
      ["requests_per_minute", { type: "project", id: project.id }],
    ] as const)
      await platform.call("/api/limits", { subject, metric, value: 100_000_000 });
  const subject = { type: "project", id: budgeted.project.id };
  await platform.call("/api/budgets", { name: "bench", subject, amount: "1000000", period: "month", hard: true });
  return { free: free.key.key, limited: limited.key.key, budgeted: budgeted.key.key };
}

/** A server as a process, the platform's on a temporary home. */
class Server {
  readonly url: string;
  readonly #adminKey: string;
  readonly #home: string;
  readonly #process: ChildProcess;

  private constructor(url: string, adminKey: string, home: string, child: ChildProcess) {
    this.url = url;
    this.#adminKey = adminKey;
    this.#home = home;
    this.#process = child;
  }

  static async start(kind: "platform" | "bare", profile: string | undefined): Promise<Server> {
    const home = mkdtempSync(join(tmpdir(), "gristmill-pipeline-"));
    const profiling = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
    const child = spawn(process.execPath, [...profiling, join(import.meta.dirname, "pipeline.server.ts"), kind, home], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const { url, adminKey = "" } = JSON.parse(line) as { url: string; adminKey?: string };
      return new Server(url, adminKey, home, child);
    }
    rmSync(home, { recursive: true, force: true });
    throw new Error(`the server "${kind}" did not start`);
  }

  async call<T>(path: string, value: unknown, project?: string): Promise<T> {
    const response = await fetch(this.url + path, {
      method: "POST",
      headers: {
        authorization: `Bearer ${this.#adminKey}`,
        "content-type": "application/json",
        ...(project === undefined ? {} : { "gristmill-project": project }),
      },
      body: JSON.stringify(value),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  cpuSeconds(): { readonly main: number; readonly postgres: number } {
    const postgres = this.#postgres().reduce((total, pid) => total + cpuSecondsOf(pid), 0);
    return { main: cpuSecondsOf(this.#process.pid ?? 0), postgres };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) {
      const exited = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      await exited;
    }
    // As root, the database lies where its own user may enter, and the home says where.
    const place = join(this.#home, "postgres-location");
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
