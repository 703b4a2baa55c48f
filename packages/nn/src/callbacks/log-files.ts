/** @file Callbacks that write a line for each epoch: tables and JSON. */
import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CsvLog, csvLine, fileSink, jsonLine, parseCsv, parseJsonLines } from "../formats/index.ts";
import type { Callback } from "../training/control.ts";
import { rowOf } from "./log-row.ts";
import { writeWhole } from "./whole-file.ts";

/** Settings of loggers. */
export interface LogOptions {
  /** Goes on with a file that is there, without the epochs that this training does again; false. */
  readonly append?: boolean;
}

/** What an earlier training has written, up to its last whole line. */
async function readLog(path: string): Promise<string> {
  try {
    const text = await readFile(path, "utf8");
    return text.slice(0, text.lastIndexOf("\n") + 1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

async function openLog(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  return open(path, "a");
}

/** A file with lines to begin with, opened to append to it. */
async function startLog(path: string, text: string): Promise<FileHandle> {
  await writeWhole(path, new TextEncoder().encode(text));
  return openLog(path);
}

/**
 * A row of CSV for each epoch: its number, seconds, and every number of the history. The first row's names are the columns;
 * what an epoch lacks (a validation that was not due) is an empty cell.
 */
export function csvLogger(path: string, { append = false }: LogOptions = {}): Callback {
  let file: FileHandle | undefined;
  let log: CsvLog | undefined;
  return {
    name: `csvLogger ${path}`,
    async onTrainBegin(control) {
      const before = append ? parseCsv(await readLog(path)) : { columns: [], rows: [] };
      const place = before.columns.indexOf("epoch");
      const kept = before.rows.filter((row) => Number(row[place]) <= control.epoch);
      const isNew = before.columns.length === 0;
      file = await startLog(path, isNew ? "" : [before.columns, ...kept].map(csvLine).join(""));
      log = new CsvLog(fileSink(file), isNew ? undefined : before.columns);
    },
    async onEpochEnd(result, control) {
      const row = rowOf(result);
      // columns of a validation that comes later must be there from the first row on
      const missing = control.validates && result.validation === undefined ? validationColumns(row) : {};
      await log?.append({ ...row, ...missing });
    },
    async onTrainEnd() {
      await file?.close();
      file = undefined;
    },
  };
}

const validationColumns = (row: Readonly<Record<string, unknown>>): Readonly<Record<string, undefined>> =>
  Object.fromEntries(
    Object.keys(row)
      .filter((name) => !["epoch", "seconds", "learningRate"].includes(name))
      .map((name) => [`val${name.charAt(0).toUpperCase()}${name.slice(1)}`, undefined]),
  );

/** A line of JSON for each epoch: its number, seconds, and every number of the history. */
export function jsonlLogger(path: string, { append = false }: LogOptions = {}): Callback {
  let file: FileHandle | undefined;
  return {
    name: `jsonlLogger ${path}`,
    async onTrainBegin(control) {
      const before = append ? parseJsonLines(await readLog(path)) : [];
      file = await startLog(
        path,
        before
          .filter(({ epoch }) => Number(epoch) <= control.epoch)
          .map(jsonLine)
          .join(""),
      );
    },
    async onEpochEnd(result) {
      await file?.appendFile(jsonLine(rowOf(result)));
    },
    async onTrainEnd() {
      await file?.close();
      file = undefined;
    },
  };
}
