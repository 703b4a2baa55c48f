import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { readPackageArchive } from "./package-archive.ts";
import { type TarEntry, tarball } from "./testing/package-files.ts";

const honest: TarEntry[] = [
  { path: "package/package.json", content: '{"name":"tiny","version":"1.0.0"}' },
  { path: "package/data/", type: "Directory" },
  { path: "package/data/images", content: "i".repeat(70_000) },
  { path: "package/readme.md", content: "r".repeat(3000) },
  { path: "package/data/labels", content: "labels" },
];

const wanted = new Set(["data/images", "data/labels"]);

async function read(archive: Buffer, limits = { entries: 100, totalBytes: 1_000_000 }) {
  const folder = await mkdtemp(join(tmpdir(), "gristmill-archive-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "package.tgz"), archive);
  const taken: Record<string, number> = {};
  const take = async (path: string, content: Readable): Promise<void> => {
    taken[path] = (await buffer(content)).length;
  };
  const options = { where: "package tiny", limits, signal: new AbortController().signal };
  try {
    const json = await readPackageArchive(join(folder, "package.tgz"), wanted, take, options);
    return { json, taken };
  } finally {
    expect(await readdir(folder)).toEqual(["package.tgz"]);
  }
}

describe("readPackageArchive", () => {
  it("gives the wanted files and package.json", async () => {
    expect(await read(tarball(honest))).toEqual({
      json: { name: "tiny", version: "1.0.0" },
      taken: { "data/images": 70_000, "data/labels": 6 },
    });
  });

  it.each([
    ["a name that climbs out (zip-slip)", { path: "package/../../../../tmp/gristmill-slipped", content: "evil" }],
    ["an absolute name", { path: "/tmp/gristmill-slipped", content: "evil" }],
    ["a drive letter", { path: "C:/slipped", content: "evil" }],
    ["a backslash", { path: "package\\..\\slipped", content: "evil" }],
    ["a symbolic link", { path: "package/data/images", type: "SymbolicLink", linkpath: "/etc/passwd" }],
    ["a hard link", { path: "package/data/images", type: "Link", linkpath: "/etc/passwd" }],
    ["a device", { path: "package/null", type: "CharacterDevice" }],
  ] satisfies [string, TarEntry][])(
    "[DAT8] refuses an archive with %s, wanted or not, wherever it is",
    async (_, evil) => {
      for (const at of [0, 2, honest.length])
        await expect(read(tarball(honest.toSpliced(at, 0, evil)))).rejects.toMatchObject({
          code: "data.unsafe_path",
          details: { entry: evil.path },
        });
    },
  );

  it("[DAT6] refuses too many entries, and too many bytes announced", async () => {
    await expect(read(tarball(honest), { entries: 4, totalBytes: 1e9 })).rejects.toMatchObject({
      code: "request.too_large",
    });
    await expect(read(tarball(honest), { entries: 99, totalBytes: 70_000 })).rejects.toMatchObject({
      code: "request.too_large",
      details: { limit_bytes: 70_000 },
    });
  });

  it("[DAT8] refuses what is no archive, and one that ends early", async () => {
    const plain = gunzipSync(tarball(honest));
    for (const bad of [
      Buffer.from("no tar at all"),
      Buffer.alloc(0),
      tarball(honest).subarray(0, 200),
      plain.subarray(0, 5000),
    ])
      await expect(read(bad)).rejects.toMatchObject({ code: "data.malformed" });
  });

  it("passes the taker's failure on, although more of the file would come", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gristmill-archive-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "package.tgz"), tarball(honest));
    const failing = readPackageArchive(
      join(folder, "package.tgz"),
      new Set(["data/images"]),
      async () => {
        throw new Error("no room");
      },
      { where: "package tiny", limits: { entries: 9, totalBytes: 1e9 }, signal: new AbortController().signal },
    );
    await expect(failing).rejects.toThrow("no room");
  });
});
