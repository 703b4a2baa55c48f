/** @file A project's ledger, page by page. No session is held between pages, however slowly they are read. */
import type { KeyId, ProjectId, RequestId } from "@gristmill/contract";
import { sql } from "kysely";
import type { Database } from "../../db/index.ts";

/** One record of the ledger as it is exported. */
export interface ExportRow {
  readonly source: string;
  readonly id: string;
  readonly meter: string;
  /** Exact decimal. */
  readonly quantity: string;
  readonly time: Date;
  readonly admitted_at: Date;
  readonly recorded_at: Date;
  readonly request_id: RequestId | null;
  readonly key_id: KeyId | null;
  readonly price_id: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Columns in their order. */
export const exportColumns = [
  "source",
  "id",
  "meter",
  "quantity",
  "time",
  "admitted_at",
  "recorded_at",
  "request_id",
  "key_id",
  "price_id",
  "dimensions",
] as const satisfies readonly (keyof ExportRow)[];

/** What to export. */
export interface ExportQuestion {
  readonly projectId: ProjectId;
  /** Inclusive. */
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
  /** null: every meter. */
  readonly meter: string | null;
}

/** Rows of one page. */
const pageRows = 5000;

/** Pages in order of time, then id, then source; each record once. */
export async function* ledgerPages(
  db: Database,
  { projectId, from, to, meter }: ExportQuestion,
  rowsOfPage = pageRows,
): AsyncGenerator<readonly ExportRow[], void> {
  let after: ExportRow | undefined;
  for (;;) {
    const { rows }: { rows: ExportRow[] } = await sql<ExportRow>`
      select source, id, meter, quantity::text as quantity, time, admitted_at, recorded_at, request_id, key_id, price_id,
        dimensions
      from usage_event
      where project_id = ${projectId} and time >= ${from} and time < ${to}
        ${meter === null ? sql`` : sql`and meter = ${meter}`}
        ${after === undefined ? sql`` : sql`and (time, id, source) > (${after.time}, ${after.id}, ${after.source})`}
      order by time, id, source
      limit ${rowsOfPage}`.execute(db);
    if (rows.length > 0) yield rows;
    if (rows.length < rowsOfPage) return;
    after = rows.at(-1);
  }
}
