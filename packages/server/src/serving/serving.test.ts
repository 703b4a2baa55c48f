import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createDeployment, type Deployment, updateDeployment } from "@gristmill/contract";
import { tensor } from "@gristmill/onnx";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { processStart } from "../children/process-start.ts";
import { insertTestProject } from "../testing/database.ts";
import type { InferResult } from "./deployments.ts";
import { scaling, slow } from "./testing/small-models.ts";
import { openWorld, type Running, until, untilStatus, type World } from "./testing/world.ts";

const imported = { notes: null, signal: new AbortController().signal };
let world: World;
let running: Running;

const open = async (): Promise<void> => {
  world = await openWorld();
  running = await world.start();
};
const close = (): Promise<void> => world.close();

const x = (...values: number[]) => ({ x: tensor("float32", [values.length / 3, 3], new Float32Array(values)) });

async function deploy(name: string, bytes: Uint8Array, more: object = {}): Promise<Deployment> {
  await running.models.importOnnx(world.projectId, name, bytes, imported);
  const input = createDeployment.parse({ name, model: name, threads: 1, ...more });
  const made = await running.serving.create(world.projectId, input);
  expect(made).toMatchObject({ status: "starting", name, desired_replicas: input.replicas });
  return await untilStatus(running, world.projectId, name, "ready");
}
const infer = (name: string, inputs = x(1, 2, 3), more: object = {}): Promise<InferResult> =>
  running.serving.infer(world.projectId, name, { inputs }, { signal: new AbortController().signal, ...more });
const update = (name: string, patch: object): Promise<Deployment> =>
  running.serving.update(world.projectId, name, updateDeployment.parse(patch));
const kill = (deployment: Deployment): void => {
  for (const { pid } of deployment.replicas) if (pid !== null) process.kill(pid, "SIGKILL");
};

describe("a deployment", () => {
  beforeAll(open);
  afterAll(close);

  it("[SRV1] answers 202 starting, becomes ready, and infers in a process of its own", async () => {
    const ready = await deploy("double-1", scaling(2));
    expect(ready.revision).toMatchObject({ revision: 1, model: "double-1", model_version: 1, threads: 1 });
    expect(ready.replicas).toHaveLength(1);
    expect(ready.replicas[0]).toMatchObject({ status: "ready", restarts: 0, last_error: null });
    expect(ready.replicas[0]?.pid).not.toBe(process.pid);
    expect(running.serving.hasTraffic()).toBe(false);
    const { outputs, served, timings } = await infer("double-1");
    expect(running.serving.hasTraffic()).toBe(true); // [SRV15]
    expect(outputs).toEqual({ y: tensor("float32", [1, 3], new Float32Array([2, 4, 6])) });
    expect(served).toEqual({ deployment: "double-1", model: "double-1", model_version: "1" });
    expect(timings.batchSize).toBe(1);
    expect(timings.computeMs).toBeGreaterThan(0);
  });

  it("[SRV1] is found by its own project only, and a name is given once", async () => {
    await deploy("double-2", scaling(2));
    const other = await insertTestProject(world.db, "other");
    const signal = new AbortController().signal;
    await expect(running.serving.infer(other, "double-2", { inputs: x(1, 2, 3) }, { signal })).rejects.toMatchObject({
      code: "deployment.not_found",
    });
    await expect(running.serving.get(other, "double-2")).rejects.toMatchObject({ code: "deployment.not_found" });
    await expect(running.serving.delete(other, "double-2")).rejects.toMatchObject({ code: "deployment.not_found" });
    await expect(deploy("double-2", scaling(2))).rejects.toMatchObject({ code: "deployment.name_taken" });
    await expect(running.models.delete(world.projectId, "double-2")).rejects.toMatchObject({ code: "model.in_use" });
  });

  it("[SRV2] refuses tensors that don't fit, naming tensor, expected and received, and goes on", async () => {
    await deploy("double-3", scaling(2));
    for (const [inputs, details] of [
      [{ y: x(1, 2, 3).x }, { tensor: "y", received: "an input of another name" }],
      [
        { x: tensor("float32", [1, 2], new Float32Array(2)) },
        { tensor: "x", expected: "shape [batch, 3]", received: "[1, 2]" },
      ],
      [{ x: tensor("int32", [1, 3], new Int32Array(3)) }, { tensor: "x", expected: "float32", received: "int32" }],
    ] as const)
      await expect(infer("double-3", inputs as never)).rejects.toMatchObject({ code: "engine.input_invalid", details });
    expect((await infer("double-3")).outputs["y"]?.data).toEqual(new Float32Array([2, 4, 6]));
  });

  it("[SRV3] runs requests that come together as one batch", async () => {
    await deploy("double-4", scaling(2));
    const results = await Promise.all(Array.from({ length: 40 }, (_, i) => infer("double-4", x(i, i, i))));
    for (const [i, { outputs }] of results.entries())
      expect(outputs["y"]?.data).toEqual(new Float32Array(3).fill(2 * i));
    expect(Math.max(...results.map(({ timings }) => timings.batchSize))).toBeGreaterThan(1);
  });

  it("[SRV4] refuses with engine.queue_full when more wait than the queue may hold", async () => {
    await deploy("slow-5", slow(4), { batching: { max_queue: 2, max_batch_size: 1 } });
    const one = { x: tensor("float32", [1, 1], new Float32Array(1)) };
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => infer("slow-5", one as never)));
    const codes = outcomes.map((outcome) => (outcome.status === "fulfilled" ? "ok" : outcome.reason.code));
    expect(codes.filter((code) => code === "ok").length).toBeGreaterThanOrEqual(3);
    expect(codes.filter((code) => code === "engine.queue_full").length).toBeGreaterThanOrEqual(7 - 2);
    await infer("slow-5", one as never);
  });

  it("[SRV4] a caller that goes away is answered at once, and its request leaves the queue", async () => {
    await deploy("slow-6", slow(8), { batching: { max_batch_size: 1 } });
    const one = { x: tensor("float32", [1, 1], new Float32Array(1)) };
    const first = infer("slow-6", one as never);
    const abort = new AbortController();
    const second = infer("slow-6", one as never, { signal: abort.signal });
    const gone = new Error("the client went away");
    setTimeout(() => abort.abort(gone), 20);
    await expect(second).rejects.toBe(gone);
    await first;
    expect((await running.serving.get(world.projectId, "slow-6")).replicas[0]?.queue_depth).toBe(0);
  });

  it("[SRV5] kill -9 of its replica: it answers again, the restart is counted, a request under way is tried once more", async () => {
    const before = await deploy("slow-7", slow(8));
    const one = { x: tensor("float32", [1, 1], new Float32Array([7])) };
    const underWay = infer("slow-7", one as never);
    await sleep(30);
    kill(before);
    expect((await underWay).outputs["y"]?.data).toEqual(new Float32Array([7]));
    const after = await untilStatus(running, world.projectId, "slow-7", "ready");
    expect(after.replicas[0]).toMatchObject({ restarts: 1 });
    expect(after.replicas[0]?.pid).not.toBe(before.replicas[0]?.pid);
    expect(after.replicas[0]?.last_error).toMatch(/SIGKILL/);
  });

  it("[SRV5] a request whose second replica dies too is engine.replica_died", async () => {
    await deploy("slow-8", slow(60));
    const one = { x: tensor("float32", [1, 1], new Float32Array([7])) };
    const underWay = infer("slow-8", one as never);
    underWay.catch(() => undefined);
    for (let deaths = 0; deaths < 2; deaths++) {
      let victim: Deployment | undefined;
      await until(async () => {
        victim = await running.serving.get(world.projectId, "slow-8");
        return victim.replicas[0]?.restarts === deaths && victim.replicas[0].queue_depth === 1;
      }, "the request is with the replica");
      if (victim !== undefined) kill(victim);
    }
    await expect(underWay).rejects.toMatchObject({ code: "engine.replica_died" });
    await untilStatus(running, world.projectId, "slow-8", "ready");
  });

  it("[SRV6] calls go to the replica with the least to do", async () => {
    const ready = await deploy("slow-9", slow(4), { replicas: 2, batching: { max_batch_size: 1 } });
    expect(new Set(ready.replicas.map(({ pid }) => pid)).size).toBe(2);
    const one = { x: tensor("float32", [1, 1], new Float32Array(1)) };
    const calls = Array.from({ length: 4 }, () => infer("slow-9", one as never));
    await sleep(0);
    const { replicas } = await running.serving.get(world.projectId, "slow-9");
    await Promise.all(calls);
    expect(replicas.map(({ queue_depth }) => queue_depth)).toEqual([2, 2]);
  });

  it("[SRV7] a corrupt artifact is failed, naming the hash expected and the one found", async () => {
    const version = await running.models.importOnnx(world.projectId, "double-10", scaling(2), imported);
    await writeFile(await running.models.artifactPath(version), "damaged");
    await running.serving.create(world.projectId, createDeployment.parse({ name: "double-10", model: "double-10" }));
    const failed = await untilStatus(running, world.projectId, "double-10", "failed");
    expect(failed.error?.code).toBe("artifact.corrupt");
    expect(failed.error?.message).toContain(version.sha256);
    await expect(infer("double-10")).rejects.toMatchObject({ code: "deployment.not_ready" });
  });
});

describe("a change", () => {
  beforeAll(open);
  afterAll(close);

  it("[SRV8] to another version replaces the revision without failing a request under load", async () => {
    await deploy("scale-11", scaling(2));
    await running.models.importOnnx(world.projectId, "scale-11", scaling(3), imported);
    let isOver = false;
    const seen: number[] = [];
    const callers = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const { outputs, revision } = await infer("scale-11", x(1, 1, 1));
        expect(outputs["y"]?.data[0]).toBe(revision + 1);
        seen.push(revision);
      }
    });
    await update("scale-11", { model: "scale-11" });
    await until(async () => {
      const { revision, replicas } = await running.serving.get(world.projectId, "scale-11");
      return revision?.revision === 2 && replicas.length === 1;
    }, "revision 2 alone is left");
    await sleep(50);
    isOver = true;
    await Promise.all(callers);
    expect(seen.at(-1)).toBe(2);
    expect(seen).toContain(1);
    expect(seen).toEqual([...seen].sort());
  });

  it("[SRV8] to a version that does not start leaves the old revision answering, and says why", async () => {
    await deploy("scale-12", scaling(2));
    const broken = await running.models.importOnnx(world.projectId, "scale-12", scaling(3), imported);
    await writeFile(await running.models.artifactPath(broken), "damaged");
    await update("scale-12", { model: "scale-12@2" });
    await until(async () => (await running.serving.get(world.projectId, "scale-12")).error !== null, "it says why");
    const after = await running.serving.get(world.projectId, "scale-12");
    expect(after).toMatchObject({ status: "ready", revision: { revision: 1 }, error: { code: "artifact.corrupt" } });
    expect(after.error?.message).toMatch(/Revision 2 \(scale-12@2\) did not start: .*Revision 1 goes on\./);
    expect((await infer("scale-12")).outputs["y"]?.data[0]).toBe(2);
    await expect(update("scale-12", { model: "scale-12@9" })).rejects.toMatchObject({
      code: "model.version_not_found",
    });
  });

  it("[SRV9] of replicas starts and stops processes, and makes no revision", async () => {
    const before = await deploy("scale-13", scaling(2));
    await update("scale-13", { replicas: 3 });
    const more = await untilStatus(running, world.projectId, "scale-13", "ready");
    expect(more.replicas).toHaveLength(3);
    expect(more.revisions).toHaveLength(1);
    await update("scale-13", { replicas: 1 });
    await until(
      async () => (await running.serving.get(world.projectId, "scale-13")).replicas.length === 1,
      "two are gone",
    );
    const after = await running.serving.get(world.projectId, "scale-13");
    expect(after.replicas[0]?.pid).toBe(before.replicas[0]?.pid);
    expect(after.status).toBe("ready");
  });

  it("[SRV10] only the active revision answers by its number", async () => {
    await deploy("scale-14", scaling(2));
    await update("scale-14", { batching: { max_batch_size: 8 } });
    await until(
      async () => (await running.serving.get(world.projectId, "scale-14")).revision?.revision === 2,
      "2 answers",
    );
    expect((await infer("scale-14", x(1, 1, 1), { revision: 2 })).revision).toBe(2);
    expect((await infer("scale-14@2")).revision).toBe(2);
    await expect(infer("scale-14@1")).rejects.toMatchObject({ code: "deployment.revision_not_found" });
    await expect(infer("scale-14@")).rejects.toMatchObject({ code: "deployment.not_found" });
    await expect(infer("scale-14", x(1, 1, 1), { revision: 1 })).rejects.toMatchObject({
      code: "deployment.revision_not_found",
    });
    const { revisions } = await running.serving.get(world.projectId, "scale-14");
    expect(revisions.map(({ revision, batching }) => [revision, batching])).toEqual([
      [1, { max_batch_size: 32, max_delay_ms: 2, max_queue: 1024 }],
      [2, { max_batch_size: 8, max_delay_ms: 2, max_queue: 1024 }],
    ]);
  });

  it("[SRV11] deletion answers what is under way, then stops the replica; the name and the model are free again", async () => {
    const { replicas } = await deploy("slow-15", slow(8));
    const one = { x: tensor("float32", [1, 1], new Float32Array([5])) };
    const underWay = infer("slow-15", one as never);
    await sleep(10);
    expect((await running.serving.delete(world.projectId, "slow-15")).status).toBe("stopping");
    await expect(infer("slow-15", one as never)).rejects.toMatchObject({ code: "deployment.not_found" });
    await expect(update("slow-15", { replicas: 2 })).rejects.toMatchObject({ code: "deployment.stopping" });
    expect((await underWay).outputs["y"]?.data).toEqual(new Float32Array([5]));
    await until(
      () =>
        running.serving.get(world.projectId, "slow-15").then(
          () => false,
          () => true,
        ),
      "it is gone",
    );
    expect(processStart(replicas[0]?.pid ?? 0)).toBeUndefined();
    await running.models.delete(world.projectId, "slow-15");
    const [event, ...rest] = (await world.seconds()).filter(({ id }) => id.startsWith(replicas[0]?.id ?? "-"));
    expect(rest).toEqual([]);
    expect(event?.id).toBe(`${replicas[0]?.id}:1:0`);
    expect(Number(event?.quantity)).toBeGreaterThan(0);
    expect(event?.dimensions).toEqual({ deployment: "slow-15", model: "slow-15", revision: "1", hardware: "cpu-1" });
  });
});

describe("after a restart", () => {
  beforeEach(open);
  afterEach(close);

  it("[SRV8][SRV12] the reason why a newer revision did not start is still told", async () => {
    await deploy("scale", scaling(2));
    const broken = await running.models.importOnnx(world.projectId, "scale", scaling(3), imported);
    await writeFile(await running.models.artifactPath(broken), "damaged");
    await update("scale", { model: "scale" });
    await until(async () => (await running.serving.get(world.projectId, "scale")).error !== null, "it says why");
    await running.stop();
    running = await world.start();
    const again = await untilStatus(running, world.projectId, "scale", "ready");
    expect(again).toMatchObject({ revision: { revision: 1 }, error: { code: "artifact.corrupt" } });
  });

  it("[SRV8][SRV12] in the middle of a change the active revision answers, and the change goes on", async () => {
    await deploy("scale", scaling(2));
    const next = await running.models.importOnnx(world.projectId, "scale", scaling(3), imported);
    const path = await running.models.artifactPath(next);
    await writeFile(path, "damaged");
    await update("scale", { model: "scale" });
    await until(async () => (await running.serving.get(world.projectId, "scale")).error !== null, "it says why");
    await running.stop();
    // As a kill in the middle would have left it.
    const asPending = sql`update revision set state = 'pending', model_id = ${next.model_id} where revision = 2`;
    await asPending.execute(world.db);
    running = await world.start();
    await until(async () => (await infer("scale").catch(() => undefined))?.revision === 1, "revision 1 answers");
    await until(async () => (await running.serving.get(world.projectId, "scale")).error !== null, "it says why again");
    expect((await infer("scale")).revision).toBe(1);
    await running.stop();
    await writeFile(path, scaling(3));
    await asPending.execute(world.db);
    running = await world.start();
    await until(async () => (await infer("scale").catch(() => undefined))?.revision === 2, "revision 2 answers");
  });

  it("[SRV12] of the server every deployment answers again without anybody's doing, and its time is settled", async () => {
    const before = await deploy("double", scaling(2));
    await running.stop();
    expect(processStart(before.replicas[0]?.pid ?? 0)).toBeUndefined();
    expect(await world.seconds()).toHaveLength(1);
    running = await world.start();
    await untilStatus(running, world.projectId, "double", "ready");
    expect((await infer("double")).outputs["y"]?.data).toEqual(new Float32Array([2, 4, 6]));
    await running.stop();
    expect(await world.seconds()).toHaveLength(2);
  });

  it("[SRV12] a deployment whose artifact was damaged meanwhile is failed, and answers again when it is mended", async () => {
    await deploy("double", scaling(2));
    const version = await running.models.resolve(world.projectId, "double");
    const path = await running.models.artifactPath(version);
    await running.stop();
    await writeFile(path, "damaged");
    running = await world.start();
    expect((await untilStatus(running, world.projectId, "double", "failed")).error?.code).toBe("artifact.corrupt");
    await running.stop();
    await writeFile(path, scaling(2));
    running = await world.start();
    const mended = await untilStatus(running, world.projectId, "double", "ready");
    expect(mended.error).toBeNull();
  });

  it("[SRV13] kill -9 of the server: its replicas end, their time counts up to the last heartbeat, once", async () => {
    await running.models.importOnnx(world.projectId, "double", scaling(2), imported);
    await running.stop();
    const server = spawn(
      process.execPath,
      [
        join(import.meta.dirname, "testing", "server.ts"),
        world.folder,
        world.projectId,
        JSON.stringify(world.connection),
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [line] = (await once(server.stdout, "data")) as [Buffer];
    const { pid, replica } = JSON.parse(line.toString()) as { pid: number; replica: string };
    await sleep(3500);
    expect(processStart(pid)).toBeDefined();
    server.kill("SIGKILL");
    await once(server, "exit");
    await until(() => processStart(pid) === undefined, "the replica has ended");
    expect(await world.seconds()).toEqual([]);
    running = await world.start();
    const [event, ...rest] = await world.seconds();
    expect(rest).toEqual([]);
    expect(event?.id).toBe(`${replica}:1:0`);
    expect(Number(event?.quantity)).toBeGreaterThan(1.4);
    expect(Number(event?.quantity)).toBeLessThan(10);
    await untilStatus(running, world.projectId, "double", "ready");
    await running.stop();
    const ids = (await world.seconds()).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(2);
  });
});
