/** @file A database and object store with something in every table: real datasets and usage, and rows of all other features. */
import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { idxImages, idxLabels } from "../../data/testing/idx-files.ts";
import { type OpenData, openData } from "../../data/testing/open-data.ts";
import type { Database } from "../../db/index.ts";

/** Imports a dataset by upload, and writes rows of all other features. The caller closes what comes back. */
export async function openPopulatedHome(): Promise<OpenData> {
  const open = await openData();
  const port = await open.http.listen("127.0.0.1", 0);
  const form = new FormData();
  form.append("dataset", JSON.stringify({ name: "tiny", format: "idx", notes: 'tab\t, line\n, \\N and "quotes" — ü' }));
  form.append("train.images", new Blob([new Uint8Array(idxImages(40, 8, 8))]));
  form.append("train.labels", new Blob([new Uint8Array(idxLabels(Array.from({ length: 40 }, (_, i) => i % 10)))]));
  const headers = { authorization: "Bearer own" };
  const answer = await fetch(`http://localhost:${port}/api/datasets`, { method: "POST", body: form, headers });
  if (answer.status !== 202) throw new Error(await answer.text());
  await open.ledger.record(
    open.projectId,
    // Of several months, so that there are several partitions.
    Array.from({ length: 200 }, (_, i) => ({
      id: `run_x:1:${i}`,
      meter: "training.seconds" as const,
      quantity: `${i + 1}.123456789`,
      time: new Date(Date.UTC(2025, i % 7, 1 + (i % 28))),
      admittedAt: new Date(Date.UTC(2025, i % 7, 1)),
      requestId: null,
      keyId: null,
      dimensions: { run: "run_x", hardware: "cpu-2" },
    })),
  );
  await insertRows(open);
  return open;
}

async function insertRows({ db, objects, projectId }: OpenData): Promise<void> {
  const artifact = await objects.put(randomBytes(100_000));
  const checkpoint = await objects.put(randomBytes(50_000));
  await sql`insert into api_key (id, project_id, name, prefix, secret_sha256, scopes)
    values ('key_x', ${projectId}, 'laptop', 'gm_x', ${randomBytes(32)}, '{inference,"runs:read"}')`.execute(db);
  await sql`insert into reservation (request_id, project_id, estimates, admitted_at)
    values ('req_x', ${projectId}, '[]', now())`.execute(db);
  await sql`insert into price (id, meter, model, amount, currency, effective_from)
    values ('prc_x', 'service.images', 'mnist', 0.000000000012345678, 'EUR', '2026-01-01T00:00:00Z')`.execute(db);
  await sql`insert into model (id, project_id, name, latest_version) values ('mdl_x', ${projectId}, 'mnist', 1)`.execute(
    db,
  );
  await sql`insert into model_version
      (id, project_id, model_id, version, format, sha256, size_bytes, inputs, outputs, run_id, card)
    values ('mdv_x', ${projectId}, 'mdl_x', 1, 'onnx', ${artifact.sha256}, ${artifact.sizeBytes}, '[]', '[]', 'run_x', '{}')`.execute(
    db,
  );
  await sql`insert into run (id, project_id, name, status, dataset_id, dataset_version_id, dataset_sha256, request, plan, labels, checkpoint)
    values ('run_x', ${projectId}, 'first', 'succeeded', 'dst_x', 'dsv_x', 'abc', '{}', '{}', '{}',
      ${JSON.stringify({ epoch: 1, sha256: checkpoint.sha256 })})`.execute(db);
  await sql`insert into run_event (run_id, id, type, data) values ('run_x', 1, 'run.started', '{}')`.execute(db);
  await sql`insert into deployment (id, project_id, name, desired_replicas) values ('dep_x', ${projectId}, 'mnist', 1)`.execute(
    db,
  );
  await sql`insert into revision
      (id, project_id, deployment_id, revision, state, model_id, model, model_version, model_version_id, sha256, threads, batching)
    values ('rev_x', ${projectId}, 'dep_x', 1, 'active', 'mdl_x', 'mnist', 1, 'mdv_x', ${artifact.sha256}, 1, '{}')`.execute(
    db,
  );
  await sql`insert into replica (id, project_id, deployment_id, revision) values ('rpl_x', ${projectId}, 'dep_x', 1)`.execute(
    db,
  );
  await sql`insert into dataset_object_release (sha256) values (${"0".repeat(64)})`.execute(db);
}

/** Everything that a restore must bring back, by name: rows of every table, partitions, sequences, triggers. */
export async function everything(db: Database): Promise<Record<string, string>> {
  const tables = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')`.execute(
    db,
  );
  const found: Record<string, string> = {};
  for (const { name } of tables.rows) {
    const { rows } = await sql<{ all: string }>`
      select coalesce(string_agg(t::text, E'\n' order by t::text), '') as all from ${sql.table(name)} t`.execute(db);
    found[name] = rows[0]?.all ?? "";
  }
  const { rows: triggers } = await sql<{ all: string }>`
    select string_agg(tgrelid::regclass || '.' || tgname || ' ' || tgenabled::text, E'\n' order by tgrelid::regclass::text, tgname)
      as all from pg_trigger where not tgisinternal`.execute(db);
  const { rows: sequences } = await sql<{ all: string }>`
    select string_agg(sequencename || ' ' || coalesce(last_value::text, '-'), E'\n' order by 1) as all from pg_sequences
      where schemaname = current_schema()`.execute(db);
  return { ...found, "(triggers)": triggers[0]?.all ?? "", "(sequences)": sequences[0]?.all ?? "" };
}
