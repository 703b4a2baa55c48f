/** @file Export of a project's ledger as a stream. */
import { Readable } from "node:stream";
import type { exportFormats } from "@gristmill/contract";
import type { Database } from "../../db/index.ts";
import { toParquet } from "./parquet.ts";
import { type ExportQuestion, type ExportRow, ledgerPages } from "./rows.ts";
import { toCsv, toJsonLines } from "./text.ts";

type Format = (typeof exportFormats)[number];

const formats: Record<
  Format,
  { readonly contentType: string; readonly of: (pages: AsyncIterable<readonly ExportRow[]>) => AsyncIterable<unknown> }
> = {
  csv: { contentType: "text/csv; charset=utf-8; header=present", of: toCsv },
  jsonl: { contentType: "application/x-ndjson", of: toJsonLines },
  parquet: { contentType: "application/vnd.apache.parquet", of: toParquet },
};

/** A file that is made while it is read. */
export interface ExportedFile {
  readonly name: string;
  readonly contentType: string;
  readonly body: Readable;
}

/** The ledger's records in one format. Whoever destroys the body ends the reading. */
export function exportLedger(db: Database, question: ExportQuestion, format: Format): ExportedFile {
  const { contentType, of } = formats[format];
  const day = (time: Date) => time.toISOString().slice(0, 10);
  return {
    name: `usage-${day(question.from)}-${day(question.to)}.${format}`,
    contentType,
    body: Readable.from(of(ledgerPages(db, question)), { objectMode: false, highWaterMark: 64 * 1024 }),
  };
}
