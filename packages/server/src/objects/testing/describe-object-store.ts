/** @file The contract of an ObjectStore as tests. Rule ids are those of objects/README.md. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { ObjectStore, StoredObject } from "../object-store.ts";

/** A store to test, and what is needed to look behind it. */
export interface OpenStore {
  readonly store: ObjectStore;
  /** Names of whatever a failed write could have left. */
  readonly leftovers: () => Promise<readonly string[]>;
  /** Changes the stored bytes behind the store's back. */
  readonly damage: (sha256: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const absent = sha256(Buffer.from("never stored"));

async function all(store: ObjectStore): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const object of store.list()) found.push(object);
  return found;
}

/** Runs the suite against one kind of store. */
export function describeObjectStore(name: string, open: () => Promise<OpenStore>): void {
  const withStore = (work: (opened: OpenStore) => Promise<void>) => async (): Promise<void> => {
    const opened = await open();
    try {
      await work(opened);
      expect(await opened.leftovers()).toEqual([]);
    } finally {
      await opened.close();
    }
  };

  describe(`${name} keeps the ObjectStore contract`, () => {
    it(
      "[OBJ1] names bytes by their sha256 and stores the same bytes once, even when put at the same time",
      withStore(async ({ store }) => {
        const bytes = randomBytes(300_000);
        const expected = { sha256: sha256(bytes), sizeBytes: bytes.length };
        const pieces = Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]);
        expect(await Promise.all([store.put(bytes), store.put(pieces), store.put(bytes)])).toEqual(
          Array.from({ length: 3 }, () => expected),
        );
        expect(await all(store)).toEqual([expected]);
        expect(await buffer(await store.open(expected.sha256))).toEqual(bytes);
      }),
    );

    it(
      "[OBJ2] keeps nothing of a source that fails half-way",
      withStore(async ({ store }) => {
        async function* failing(): AsyncGenerator<Buffer> {
          yield randomBytes(1000);
          throw new Error("the disk of the sender broke");
        }
        await expect(store.put(Readable.from(failing()))).rejects.toThrow("the disk of the sender broke");
        expect(await all(store)).toEqual([]);
      }),
    );

    it(
      "[OBJ3] refuses one byte more than the limit, takes exactly the limit",
      withStore(async ({ store }) => {
        const endless = new Readable({ read: () => endless.push(Buffer.alloc(64)) });
        await expect(store.put(endless, { limitBytes: 1000 })).rejects.toMatchObject({ code: "request.too_large" });
        expect(endless.destroyed).toBe(true);
        await expect(store.put(Buffer.alloc(1001), { limitBytes: 1000 })).rejects.toMatchObject({
          code: "request.too_large",
          details: { limit_bytes: 1000 },
        });
        expect(await store.put(Buffer.alloc(1000), { limitBytes: 1000 })).toMatchObject({ sizeBytes: 1000 });
        expect(await all(store)).toHaveLength(1);
      }),
    );

    it(
      "[OBJ3] stops a source that waits for ever when its caller goes away",
      withStore(async ({ store }) => {
        const controller = new AbortController();
        const silent = new Readable({ read: () => {} });
        const put = store.put(silent, { signal: controller.signal });
        controller.abort(new Error("the caller went away"));
        await expect(put).rejects.toThrow("the caller went away");
        expect(silent.destroyed).toBe(true);
        await expect(store.put(Buffer.alloc(1), { signal: controller.signal })).rejects.toThrow("the caller went away");
        expect(await all(store)).toEqual([]);
      }),
    );

    it(
      "[OBJ4] says artifact.corrupt for what is missing, whoever asks",
      withStore(async ({ store }) => {
        expect(await store.has(absent)).toBe(false);
        for (const asked of [store.open(absent), store.path(absent), store.verify(absent)])
          await expect(asked).rejects.toMatchObject({ code: "artifact.corrupt", details: { sha256: absent } });
      }),
    );

    it(
      "[OBJ4] [OBJ8] names expected and found hash of a damaged object, and mends it when the bytes come again",
      withStore(async ({ store, damage }) => {
        const bytes = randomBytes(5000);
        const stored = await store.put(bytes);
        await store.verify(stored.sha256);
        await damage(stored.sha256);
        await expect(store.verify(stored.sha256)).rejects.toMatchObject({
          code: "artifact.corrupt",
          details: { expected_sha256: stored.sha256, found_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        });
        await store.put(bytes);
        await store.verify(stored.sha256);
      }),
    );

    it(
      "[OBJ5] refuses keys that are no sha256",
      withStore(async ({ store }) => {
        for (const key of ["../../etc/passwd", "", "temporary", absent.toUpperCase(), `${absent}/..`, `${absent}\n`])
          for (const asked of [() => store.has(key), () => store.open(key), () => store.delete(key)])
            await expect(asked()).rejects.toThrow(RangeError);
      }),
    );

    it(
      "[OBJ7] moves a finished file in, and takes neither links nor folders",
      withStore(async ({ store }) => {
        const folder = await mkdtemp(join(tmpdir(), "gristmill-adopt-"));
        try {
          const file = join(folder, "finished");
          const bytes = randomBytes(70_000);
          await writeFile(file, bytes);
          await symlink(file, join(folder, "link"));
          await expect(store.adopt(join(folder, "link"))).rejects.toThrow(RangeError);
          await expect(store.adopt(folder)).rejects.toThrow(RangeError);
          expect(await store.adopt(file)).toEqual({ sha256: sha256(bytes), sizeBytes: bytes.length });
          await expect(stat(file)).rejects.toMatchObject({ code: "ENOENT" });
          await store.verify(sha256(bytes));
        } finally {
          await rm(folder, { recursive: true });
        }
      }),
    );

    it(
      "[OBJ9] deletes, and deletes again, without an error",
      withStore(async ({ store }) => {
        const { sha256: key } = await store.put(Buffer.from("short-lived"));
        await store.delete(key);
        await store.delete(key);
        expect(await store.has(key)).toBe(false);
        expect(await all(store)).toEqual([]);
      }),
    );

    it(
      "[OBJ10] reads a range with both ends included",
      withStore(async ({ store }) => {
        const { sha256: key } = await store.put(Buffer.from("0123456789"));
        expect(String(await buffer(await store.open(key, { start: 2, end: 4 })))).toBe("234");
      }),
    );
  });
}
