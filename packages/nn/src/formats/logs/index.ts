/** @file Logs of a training that other programs read: CSV and JSON lines. */
export { CsvLog, type CsvTable, csvLine, type LogRow, type LogValue, parseCsv } from "./csv.ts";
export { jsonLine, parseJsonLines } from "./json-lines.ts";
