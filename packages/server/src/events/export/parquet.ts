/** @file Exports as Parquet: a row group for each page, so that memory holds one page however long the file gets. */
import type { ExportRow } from "./rows.ts";

/** Quantities are text, because readers make binary floating point of Parquet's decimals: cast them where they are exact. */
const types = {
  source: "STRING",
  id: "STRING",
  meter: "STRING",
  quantity: "STRING",
  time: "TIMESTAMP",
  admitted_at: "TIMESTAMP",
  recorded_at: "TIMESTAMP",
  request_id: "STRING",
  key_id: "STRING",
  price_id: "STRING",
  dimensions: "JSON",
} as const satisfies Record<keyof ExportRow, string>;

const nullable: ReadonlySet<string> = new Set(["request_id", "key_id", "price_id"]);

/** Pages as one Parquet file, Snappy-compressed. */
export async function* toParquet(pages: AsyncIterable<readonly ExportRow[]>): AsyncGenerator<Uint8Array, void> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import("hyparquet-writer");
  const columnsOf = (rows: readonly ExportRow[]) =>
    (Object.keys(types) as (keyof ExportRow)[]).map((name) => ({
      name,
      type: types[name],
      nullable: nullable.has(name),
      data: rows.map((row) => row[name]),
      offsetIndex: false, // kept until the end of the file, for each page
    }));
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({
    writer: bytes,
    schema: schemaFromColumnData({ columnData: columnsOf([]) }),
    createdBy: "gristmill",
  });
  /** What was written since the last time. The writer goes on counting where it is in the file. */
  const taken = (): Uint8Array => {
    const chunk = bytes.getBytes().slice();
    bytes.index = 0;
    return chunk;
  };
  for await (const rows of pages) {
    await writer.write({ columnData: columnsOf(rows), rowGroupSize: rows.length });
    yield taken();
  }
  await writer.finish();
  yield taken();
}
