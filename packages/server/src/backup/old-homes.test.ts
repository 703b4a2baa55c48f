import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { createData } from "../data/index.ts";
import { appliedMigrations, knownMigrations } from "../db/index.ts";
import { newId } from "../ids.ts";
import { createMetering } from "../metering/index.ts";
import { fileObjectStore } from "../objects/index.ts";
import { restore } from "./restore.ts";
import { emptyDatabase, temporaryFolder } from "./testing/empty-home.ts";

/** Made by testing/make-home-fixture.ts, one for each release. */
const fixtures = join(import.meta.dirname, "fixtures");
const files = (await readdir(fixtures)).filter((name) => name.endsWith(".backup"));

describe("homes of earlier versions, and of this one", () => {
  it("are kept", () => expect(files).toContain("home-0.1.0.backup"));

  it.each(files)("[BAK7] %s opens: schema, usage, objects, the dataset's records", async (name) => {
    const { db, connection } = await emptyDatabase();
    const home = await temporaryFolder();
    const objects = await fileObjectStore(join(home, "objects"));
    const summary = await restore({ connection, objects, file: join(fixtures, name) });
    expect(summary.objects).toBeGreaterThanOrEqual(5); // four files of the dataset, and the model
    expect(await appliedMigrations(connection)).toEqual(knownMigrations.map((migration) => migration.name));
    for await (const { sha256 } of objects.list()) await objects.verify(sha256);
    const { rows: usage } = await sql<{ meter: string; quantity: string }>`
      select meter, sum(quantity)::text as quantity from usage_event group by meter`.execute(db);
    const used = Object.fromEntries(usage.map(({ meter, quantity }) => [meter, Number(quantity)]));
    expect(used).toMatchObject({
      "data.bytes_processed": 140 * 784 + 140 + 48,
      "service.requests": 5,
      "service.images": 5,
    });
    expect(used["training.seconds"]).toBeGreaterThan(0);
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const ground = { now: () => new Date(), newId, log };
    const { ledger } = createMetering({ db, ...ground });
    const { datasets } = createData({ ground, db, objects, ledger, home });
    const { rows } = await sql<{ project_id: `prj_${string}` }>`select project_id from dataset`.execute(db);
    const projectId = rows[0]?.project_id ?? "prj_";
    const pinned = await datasets.pin(projectId, "digits");
    const train = await datasets.splitFiles(projectId, pinned.version.id, "train");
    expect(train.images.shape).toEqual([100, 28, 28, 1]);
  });
});
