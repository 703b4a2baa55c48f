import { describe, expect, it } from "vitest";
import { EventStreamParser, type ServerEvent } from "./event-stream.ts";

function parse(pieces: readonly Uint8Array[], maxEventBytes = 1000): ServerEvent[] {
  const parser = new EventStreamParser(maxEventBytes);
  const events = pieces.flatMap((piece) => [...parser.push(piece)]);
  const last = parser.end();
  return last === undefined ? events : [...events, last];
}

const text =
  '\uFEFF: hi\r\ndata: one\r\n\r\nevent: error\rdata:two\rdata: {"ä":"👋"}\r\rid: 7\ndata\n\nretry: 5\n\n: only\n\nerror: {}\n\ndata: last';
const expected: ServerEvent[] = [
  { type: "message", data: "one" },
  { type: "error", data: 'two\n{"ä":"👋"}' },
  { type: "message", data: "" },
  { type: "error", data: "{}" },
  { type: "message", data: "last" },
];

describe("event streams", () => {
  it("are read the same wherever the bytes are cut in two", () => {
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++)
      expect(parse([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected);
  });

  it("are read the same byte by byte", () => {
    expect(parse(Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it("an event is bounded, in one line and in many, and comments are not part of it", () => {
    const large = "x".repeat(60);
    expect(() => parse([Buffer.from(`data: ${large}`), Buffer.from(large)], 100)).toThrow("at most 100 bytes");
    expect(() => parse([Buffer.from(`data: ${large}\ndata: ${large}\n`)], 100)).toThrow("at most 100 bytes");
    expect(parse([Buffer.from(`: ${large}\n`.repeat(5)), Buffer.from("data: a\n\n")], 100)).toHaveLength(1);
  });

  it("bytes that are no UTF-8 become replacement characters", () => {
    expect(parse([Buffer.from("data: a"), Uint8Array.of(0xff, 10, 10)])).toEqual([
      { type: "message", data: "a\uFFFD" },
    ]);
  });
});
