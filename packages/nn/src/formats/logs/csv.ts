/** @file Numbers of a training as CSV (RFC 4180): a line of names, then a line for each epoch. */
import type { ByteSink } from "../byte-sink.ts";
import { FileFormatError } from "../format-error.ts";

/** A value of a log; nothing is an empty cell. */
export type LogValue = number | string | boolean | undefined;
/** Values by their names. */
export type LogRow = Readonly<Record<string, LogValue>>;

/** One line, with its end. Texts with commas, quotes or line ends are quoted. */
export const csvLine = (cells: readonly LogValue[]): string =>
  `${cells.map((cell) => quoted(cell === undefined ? "" : String(cell))).join(",")}\n`;

const quoted = (cell: string): string => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Writes rows; the first one's names become the columns. */
export class CsvLog {
  readonly #sink: ByteSink;
  #columns: readonly string[] | undefined;

  /** `columns` are those of a file that is gone on with, as `parseCsv` gives them; a new file has none yet. */
  constructor(sink: ByteSink, columns?: readonly string[]) {
    this.#sink = sink;
    this.#columns = columns;
  }

  /** Appends a row. @throws FileFormatError when it has a value that the file has no column for. */
  async append(row: LogRow): Promise<void> {
    const isFirst = this.#columns === undefined;
    const columns = this.#columns ?? Object.keys(row);
    const extra = Object.keys(row).find((name) => !columns.includes(name));
    if (extra !== undefined)
      throw new FileFormatError(
        "CSV log",
        `expected the columns of the first row, ${columns.join(", ")}, received ${extra} too; give it in the first row, undefined where there is none`,
      );
    this.#columns = columns;
    const lines = csvLine(columns.map((name) => row[name]));
    await this.#sink.write(new TextEncoder().encode(isFirst ? csvLine(columns) + lines : lines));
  }
}

/** A CSV file as texts. */
export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Reads a CSV file. @throws FileFormatError when a line has more or fewer cells than the first, or a quote is left open. */
export function parseCsv(text: string): CsvTable {
  const lines: string[][] = [];
  let cells: string[] = [];
  let at = 0;
  const body = text.replace(/^\ufeff/, "");
  while (at < body.length) {
    const { cell, end } = readCell(body, at);
    cells.push(cell);
    const separator = body.charAt(end);
    at = end + (body.startsWith("\r\n", end) ? 2 : 1);
    if (separator !== ",") {
      lines.push(cells);
      cells = [];
    } else if (at === body.length) cells.push("");
  }
  if (cells.length > 0) lines.push(cells);
  const [columns = [], ...rows] = lines;
  for (const [i, row] of rows.entries())
    if (row.length !== columns.length)
      throw new FileFormatError(
        `CSV, line ${i + 2}`,
        `expected ${columns.length} cells, as in the first line, received ${row.length}`,
      );
  return { columns, rows };
}

function readCell(text: string, start: number): { cell: string; end: number } {
  if (text.charAt(start) !== '"') {
    const separator = /[,\r\n]/g;
    separator.lastIndex = start;
    const end = separator.exec(text)?.index ?? text.length;
    return { cell: text.slice(start, end), end };
  }
  let end = start + 1;
  for (;;) {
    end = text.indexOf('"', end);
    if (end < 0) throw new FileFormatError("CSV", `the quote at letter ${start} is never closed`);
    if (text.charAt(end + 1) !== '"') break;
    end += 2;
  }
  if (!["", ",", "\r", "\n"].includes(text.charAt(end + 1)))
    throw new FileFormatError("CSV", `expected a comma or a line's end behind the quote at letter ${end}`);
  return { cell: text.slice(start + 1, end).replaceAll('""', '"'), end: end + 1 };
}
