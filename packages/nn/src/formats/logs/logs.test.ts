import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemorySink } from "../byte-sink.ts";
import { CsvLog, csvLine, jsonLine, parseCsv, parseJsonLines } from "./index.ts";

const textOf = (sink: MemorySink): string => new TextDecoder().decode(sink.bytes());

describe("CsvLog", () => {
  it("writes names, then a line for each row, empty where there is no value", async () => {
    const sink = new MemorySink();
    const log = new CsvLog(sink);
    await log.append({ epoch: 1, loss: 0.5, valLoss: undefined });
    await log.append({ valLoss: Number.NaN, epoch: 2, loss: 1e-7 });
    await log.append({ epoch: 3 });
    expect(textOf(sink)).toBe("epoch,loss,valLoss\n1,0.5,\n2,1e-7,NaN\n3,,\n");
  });

  it("goes on with a file under its own columns", async () => {
    const sink = new MemorySink();
    const log = new CsvLog(sink, parseCsv("epoch,loss\n1,2\n").columns);
    await log.append({ loss: 1, epoch: 2 });
    expect(textOf(sink)).toBe("2,1\n");
  });

  it("refuses a value without a column", async () => {
    const log = new CsvLog(new MemorySink());
    await log.append({ epoch: 1 });
    await expect(log.append({ epoch: 2, loss: 1 })).rejects.toThrow(
      "expected the columns of the first row, epoch, received loss too",
    );
  });
});

describe("parseCsv", () => {
  it("reads what csvLine writes, whatever the texts", () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom('"', ",", "\n", "\r\n", " a", "é😀", ""));
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 5 }), (lines) => {
        const { columns, rows } = parseCsv(lines.map(csvLine).join(""));
        expect([columns, ...rows]).toEqual(lines);
      }),
      { numRuns: 500 },
    );
  });

  it("takes other line ends, a byte order mark, and a last line without its end", () => {
    expect(parseCsv("\ufeffa,b\r\n1,\r\n,2")).toEqual({
      columns: ["a", "b"],
      rows: [
        ["1", ""],
        ["", "2"],
      ],
    });
    expect(parseCsv("a,b\n1,")).toEqual({ columns: ["a", "b"], rows: [["1", ""]] });
    expect(parseCsv("")).toEqual({ columns: [], rows: [] });
  });

  it("refuses lines of other lengths and quotes that do not fit", () => {
    expect(() => parseCsv("a,b\n1\n")).toThrow("CSV, line 2: expected 2 cells, as in the first line, received 1");
    expect(() => parseCsv('a\n"1\n')).toThrow("the quote at letter 2 is never closed");
    expect(() => parseCsv('a\n"1"2\n')).toThrow("expected a comma or a line's end behind the quote");
  });
});

describe("JSON lines", () => {
  it("keep NaN and infinity", () => {
    const record = { epoch: 1, loss: Number.NaN, list: [1, -Infinity], inner: { value: Infinity } };
    expect(jsonLine(record)).toBe('{"epoch":1,"loss":"NaN","list":[1,"-Infinity"],"inner":{"value":"Infinity"}}\n');
    expect(parseJsonLines(jsonLine(record))).toEqual([record]);
  });

  it("end before a last line that is still written, and take a whole one without its end", () => {
    expect(parseJsonLines('{"a":1}\n{"a":')).toEqual([{ a: 1 }]);
    expect(parseJsonLines('{"a":1}\n\n{"a":2}')).toEqual([{ a: 1 }, { a: 2 }]);
    expect(parseJsonLines("")).toEqual([]);
  });

  it("refuse lines that are no objects", () => {
    expect(() => parseJsonLines('{"a":1}\n{"a":\n')).toThrow("line 2: expected a JSON object");
    expect(() => parseJsonLines("[1]\n")).toThrow("line 1: expected a JSON object, received [1]");
  });
});
