import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { SplitFiles } from "../../data/index.ts";
import { openIdxSource } from "./idx-source.ts";

const records = 20;
const imageOf = (index: number): number[] => [index, index + 100, 7, 255 - index];
const labelOf = (index: number): number => (index * 3) % 4;

let folder: string;
let files: SplitFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gristmill-idx-"));
  const all = Array.from({ length: records }, (_, index) => index);
  const images = join(folder, "images");
  const labels = join(folder, "labels");
  await writeFile(images, Uint8Array.from([...new Array<number>(16).fill(9), ...all.flatMap(imageOf)]));
  await writeFile(labels, Uint8Array.from([...new Array<number>(8).fill(9), ...all.map(labelOf)]));
  const file = { sha256: "", dtype: "uint8" } as const;
  files = {
    images: { ...file, path: images, offset: 16, shape: [records, 2, 2, 1] },
    labels: { ...file, path: labels, offset: 8, shape: [records] },
  };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it("[RUN4] gives the records of any indices in any order, repeats and neighbours included", () => {
  using source = disposable(openIdxSource(files, { scale: 1, encoding: "index", classes: 4 }));
  fc.assert(
    fc.property(fc.array(fc.nat(records - 1), { minLength: 1, maxLength: 40 }), (list) => {
      const into = { x: new Uint8Array(list.length * 4), y: new Int32Array(list.length) };
      source.opened.batch(Uint32Array.from(list), into);
      expect([...into.x]).toEqual(list.flatMap(imageOf));
      expect([...into.y]).toEqual(list.map(labelOf));
    }),
  );
});

it("[RUN3] writes one-hot rows over what a buffer held before", () => {
  using source = disposable(openIdxSource(files, { scale: 1, encoding: "one-hot", classes: 4 }));
  const into = { x: new Uint8Array(8), y: new Float32Array(8).fill(5) };
  source.opened.batch(Uint32Array.of(1, 2), into);
  expect([...into.y]).toEqual([0, 0, 0, 1, 0, 0, 1, 0]);
});

it("says which file ended where it should not have", async () => {
  using source = disposable(openIdxSource(files, { scale: 1, encoding: "index", classes: 4 }));
  await truncate(files.images.path, 16 + 4 * 10 + 1);
  const into = { x: new Uint8Array(4), y: new Int32Array(1) };
  source.opened.batch(Uint32Array.of(9), into);
  expect(() => source.opened.batch(Uint32Array.of(10), into)).toThrow(/images: expected 4 bytes at 56, found 1/);
  await appendFile(
    files.images.path,
    Uint8Array.from(
      Array.from({ length: 10 }, (_, i) => imageOf(10 + i))
        .flat()
        .slice(1),
    ),
  );
  source.opened.batch(Uint32Array.of(19), into);
  expect([...into.x]).toEqual(imageOf(19));
});

const disposable = (opened: ReturnType<typeof openIdxSource>) => ({ opened, [Symbol.dispose]: () => opened.close() });
