/** @file The typed client and the command against a real platform. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gristmill, GristmillError, type NamedTensor } from "@gristmill/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gristmill as command, type Outcome, start } from "../../packages/cli/src/testing/gristmill.ts";
import { mnistFiles, smallSpec } from "./mnist.ts";
import { Home, type Platform } from "./platform.ts";
import { runRequest, trainedPlatform } from "./trained.ts";

const home = new Home();
const folder = mkdtempSync(join(tmpdir(), "gristmill-clients-"));
let platform: Platform;
let admin: Gristmill;

beforeAll(async () => {
  platform = await trainedPlatform(home);
  admin = new Gristmill({ baseUrl: platform.url, apiKey: platform.adminKey });
}, 120_000);
afterAll(async () => {
  await platform?.stop();
  home.remove();
  rmSync(folder, { recursive: true });
});

const code = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no failure",
    (error: unknown) => (error instanceof GristmillError ? error.code : error),
  );
const firstPng = async (): Promise<Buffer<ArrayBuffer>> => {
  const { records } = await admin.datasets.preview("digits", { split: "test", limit: 1 });
  return Buffer.from(records[0]?.png_base64 ?? "", "base64");
};

describe("the typed client", () => {
  it("makes projects and keys that see only their own, and revoked ones nothing", async () => {
    const project = await admin.projects.create({ name: "elsewhere" });
    const inside = new Gristmill({ baseUrl: platform.url, apiKey: platform.adminKey, project: "elsewhere" });
    const { id, key } = await inside.keys.create({ name: "k" });
    const guest = new Gristmill({ baseUrl: platform.url, apiKey: key });
    expect(project.name).toBe("elsewhere");
    expect(await guest.datasets.list().all()).toEqual([]);
    expect(await code(guest.datasets.get("digits"))).toBe("dataset.not_found");
    expect(await code(guest.services.classifyImage(await firstPng(), { model: "digits" }))).toBe(
      "deployment.not_found",
    );
    expect((await guest.projects.list().all()).map(({ name }) => name)).toEqual(["elsewhere"]);
    expect(await code(guest.projects.create({ name: "more" }))).toBe("auth.forbidden");
    await inside.keys.revoke(id);
    expect(await code(guest.datasets.list().all())).toBe("auth.invalid");
  });

  it("uploads files from disk, waits, and previews them", async () => {
    const files = mnistFiles("train", 200);
    writeFileSync(join(folder, "images"), files.images);
    writeFileSync(join(folder, "labels"), files.labels);
    const split = { images: join(folder, "images"), labels: join(folder, "labels") };
    await admin.datasets.upload({ name: "from-disk", format: "idx" }, { train: split });
    const ready = await admin.datasets.waitReady("from-disk");
    expect(ready.latest_version?.splits[0]?.records).toBe(200);
    expect((await admin.datasets.preview("from-disk", { limit: 3 })).records).toHaveLength(3);
    await admin.datasets.delete("from-disk");
    expect(await code(admin.datasets.get("from-disk"))).toBe("dataset.not_found");
  });

  it("gives an import's own failure", async () => {
    const broken = { images: new Blob(["not IDX"]), labels: new Blob(["neither"]) };
    const work = async () => {
      await admin.datasets.upload({ name: "broken", format: "idx" }, { train: broken });
      await admin.datasets.waitReady("broken");
    };
    expect(await code(work())).toBe("data.malformed");
  });

  it("follows a run: every event once, in order, from queued to succeeded, and from the middle on", async () => {
    const run = await admin.runs.create(runRequest(2));
    const ids: number[] = [];
    const types = new Set<string>();
    const steps: number[] = [];
    const done = await admin.runs.wait(run.id, {
      onEvent: ({ id, type }) => {
        ids.push(id);
        types.add(type);
      },
      onProgress: ({ step }) => steps.push(step),
    });
    expect(done.status).toBe("succeeded");
    expect(done.history).toHaveLength(2);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(ids.length);
    for (const type of [
      "run.queued",
      "run.started",
      "run.epoch_finished",
      "run.evaluated",
      "run.registered",
      "run.succeeded",
    ])
      expect(types).toContain(type);
    expect(steps.length).toBeGreaterThan(0);
    const last: number[] = [];
    for await (const { id } of admin.runs.events(run.id, { after: ids.at(-2) ?? 0 })) last.push(id);
    expect(last).toEqual(ids.slice(-1));
    expect(await code(admin.runs.cancel(run.id))).toBe("run.finished");
  });

  it("names the layer of a network that does not fit", async () => {
    const spec = { ...smallSpec, layers: [{ type: "denes", units: 10 }] };
    const error = await admin.runs.create({ dataset: "digits", spec }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "spec.invalid", retryable: false });
    expect(String(error)).toContain("denes");
  });

  it("downloads the artifact that the version's hash names", async () => {
    const { sha256, version } = (await admin.models.versions("digits").all()).at(-1) ?? { sha256: "", version: 0 };
    const file = join(folder, "digits.onnx");
    await admin.models.download("digits", version, file);
    expect(createHash("sha256").update(readFileSync(file)).digest("hex")).toBe(sha256);
  });

  it("gets the same numbers by JSON and by binary tensors, and labels of an image", async () => {
    const [input] = (await admin.services.metadata("digits")).inputs;
    const data = Float32Array.from({ length: 2 * 784 }, (_, i) => (i % 29) / 29);
    const tensor: NamedTensor = { name: input?.name ?? "", datatype: "FP32", shape: [2, 28, 28, 1], data };
    const json = await admin.services.infer("digits", { id: "a", inputs: [tensor] });
    const binary = await admin.services.infer("digits", { inputs: [tensor] }, { encoding: "binary" });
    expect(json.id).toBe("a");
    expect(json.outputs[0]?.shape).toEqual([2, 10]);
    expect(binary.outputs[0]?.data).toEqual(json.outputs[0]?.data);
    const wrong = { ...tensor, shape: [2, 28, 28], data };
    expect(await code(admin.services.infer("digits", { inputs: [wrong] }))).toBe("engine.input_invalid");
    const { labels, usage } = await admin.services.classifyImage(await firstPng(), { model: "digits", top: 2 });
    expect([labels.length, labels[0]?.label, usage.images]).toEqual([2, "7", 1]);
  });

  it("reads the ledger page by page: each event once, and the report's sums are theirs", async () => {
    const all = await admin.usage.events({ limit: 2, meter: "service.requests" }).all();
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const report = await admin.usage.report({ meter: "service.requests" });
    expect(Number(report.data[0]?.quantity)).toBe(all.length);
    expect(report.unpriced_events).toBe(0);
  });
});

describe("the command", () => {
  const call = (...args: string[]): Promise<Outcome> =>
    command(args, { GRISTMILL_URL: platform.url, GRISTMILL_HOME: home.path });

  it("shows what there is, to people and to programs", async () => {
    expect((await call("dataset", "show", "digits")).stdout).toMatch(/train, records of each class\n {2}0 {2}█+/);
    expect((await call("dataset", "preview", "digits", "--limit", "2")).stdout).toMatch(/[*#%@]{2}/);
    expect((await call("deploy", "show", "digits")).stdout).toContain("1/1 ready");
    const [version] = (await call("model", "versions", "digits", "--json")).stdout.trimEnd().split("\n");
    expect(JSON.parse(version ?? "")).toMatchObject({ model: "digits", format: "onnx" });
    expect((await call("usage")).stdout).toMatch(/training\.seconds +[\d.]+ +second/);
    expect((await call("model", "show", "nothing")).stderr).toContain("model.not_found");
  });

  it("predicts labels with bars, and names an image that is none", async () => {
    const image = join(folder, "seven.png");
    writeFileSync(image, await firstPng());
    const { stdout } = await call("predict", "digits", image, "--top", "3");
    expect(stdout).toMatch(/seven\.png {2}digits, version \d+/);
    expect(stdout).toMatch(/\n {2}7 {2}█+ +\d+\.\d\d %/);
    const text = join(folder, "text.txt");
    writeFileSync(text, "no image");
    expect(await call("predict", "digits", text)).toMatchObject({ code: 1, stdout: "" });
    expect((await call("predict", "digits", "/nonexistent.png")).stderr).toContain("can't be read");
  });

  it("trains with plain lines where nobody watches, and registers the result", async () => {
    const file = join(folder, "net.json");
    writeFileSync(file, JSON.stringify(smallSpec));
    const { code, stdout, stderr } = await call("train", file, "--dataset", "digits", "--register", "digits");
    expect([code, stderr.includes("\x1b")]).toEqual([0, false]);
    expect(stderr).toMatch(/%.*epoch 1\/1 {2}step \d+\/\d+ .*images\/s {2}loss/);
    expect(stdout).toMatch(/registered {2}digits@\d+/);
  });

  it("Ctrl-C during train really cancels the run on the platform", async () => {
    const file = join(folder, "long.json");
    writeFileSync(file, JSON.stringify({ ...runRequest(500), register: undefined }));
    const training = start(["train", file, "--name", "long"], {
      GRISTMILL_URL: platform.url,
      GRISTMILL_HOME: home.path,
    });
    await training.said("epoch 1/500");
    training.child.kill("SIGINT");
    const { code, stderr } = await training.outcome;
    expect(code).toBe(130);
    expect(stderr).toContain("long is cancelled.");
    const run = (await admin.runs.list().all(5)).find(({ name }) => name === "long");
    expect(run?.status).toBe("cancelled");
  });
});
