/** @file Exports as text: CSV (RFC 4180) that no spreadsheet takes for formulas, and JSON lines. */
import { type ExportRow, exportColumns } from "./rows.ts";

/** What makes a spreadsheet take a cell for a formula, wide forms of the signs included (OWASP, "CSV Injection"). */
const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** A number stays a number: a correction's "-5" is none to be afraid of. */
const number = /^-?\d+(\.\d+)?$/;

/** Text that a spreadsheet shows as it is: what could begin a formula is led by an apostrophe. */
export const safeCell = (text: string): string => (formula.test(text) && !number.test(text) ? `'${text}` : text);

/** Pages as CSV with a line of column names; `dimensions` as JSON. */
export async function* toCsv(pages: AsyncIterable<readonly ExportRow[]>): AsyncGenerator<string, void> {
  const { stringify } = await import("csv-stringify/sync");
  yield stringify([exportColumns], { record_delimiter: "windows" });
  for await (const rows of pages)
    yield stringify(
      rows.map((row) => exportColumns.map((column) => safeCell(textOf(row[column])))),
      { record_delimiter: "windows" },
    );
}

/** Pages as one JSON object a line. */
export async function* toJsonLines(pages: AsyncIterable<readonly ExportRow[]>): AsyncGenerator<string, void> {
  for await (const rows of pages)
    yield rows
      .map((row) => `${JSON.stringify(Object.fromEntries(exportColumns.map((name) => [name, row[name]])))}\n`)
      .join("");
}

function textOf(value: ExportRow[keyof ExportRow]): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  return value instanceof Date ? value.toISOString() : JSON.stringify(value);
}
