import fc from "fast-check";
import { expect, it } from "vitest";
import { type ServerSentEvent, SseParser } from "./sse.ts";

const parse = (...texts: string[]): ServerSentEvent[] => {
  const parser = new SseParser();
  return texts.flatMap((text) => parser.push(text));
};

it("reads id, event and data of an event that an empty line ends", () => {
  expect(parse('id: 7\nevent: run.progress\ndata: {"a":1}\n\n')).toEqual([
    { id: "7", event: "run.progress", data: '{"a":1}' },
  ]);
});

it("joins several data lines by line feeds, and names an event without a name message", () => {
  expect(parse("data: a\ndata:b\ndata\n\n")).toEqual([{ id: "", event: "message", data: "a\nb\n" }]);
});

it("takes comments for nothing and keeps the last id for events without one", () => {
  expect(parse(": still here\n\nid: 1\ndata: a\n\ndata: b\n\n").map(({ id, data }) => [id, data])).toEqual([
    ["1", "a"],
    ["1", "b"],
  ]);
});

it("drops an event that the end of the stream cuts off", () => {
  expect(parse("data: whole\n\n", "data: half\n")).toEqual([{ id: "", event: "message", data: "whole" }]);
});

it("knows CR, LF and CRLF, also when a chunk ends between CR and LF", () => {
  expect(parse("data: a\r", "\ndata: b\r\r", "data: c\r\n\r\n").map(({ data }) => data)).toEqual(["a\nb", "c"]);
});

it("reads the wait that the server asks for, and nothing that is no number", () => {
  const parser = new SseParser();
  parser.push("retry: soon\nretry: 1500\n");
  expect(parser.retryMs).toBe(1500);
});

it("refuses an event that never ends rather than fill the memory", () => {
  const parser = new SseParser();
  const half = "x".repeat(9_000_000);
  parser.push(`data: ${half}`);
  expect(() => parser.push(half)).toThrow(RangeError);
});

it("gives the same events however the text is cut", () => {
  const text = '\uFEFFid: 1\r\nevent: a\r\ndata: {"x":"ü"}\r\n\r\n: c\r\rdata: 2\ndata: 3\n\nid: 9\ndata: 4\n\n';
  const whole = parse(text);
  expect(whole).toHaveLength(3);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 8 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      expect(parse(...at.slice(1).map((end, i) => text.slice(at[i], end)))).toEqual(whole);
    }),
  );
});
