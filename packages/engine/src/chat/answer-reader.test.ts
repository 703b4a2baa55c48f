import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FinishReason, GenerationEvent, WrittenToken } from "../language/answer.ts";
import { AnswerReader, type AnswerReaderOptions } from "./answer-reader.ts";
import { genericFormat, type ToolFormat, toolFormats } from "./tool-formats.ts";

const thinkTags = { open: "<think>", close: "</think>" };

function readerOf(options: Partial<AnswerReaderOptions> = {}): AnswerReader {
  let calls = 0;
  return new AnswerReader({ special: new Set(["<|x|>"]), newCallId: () => `call_${calls++}`, ...options });
}

/** What pieces say together. */
interface Answer {
  text: string;
  reasoning: string;
  calls: { id: string; name: string; arguments: string }[];
  reason: FinishReason;
}

function together(reader: AnswerReader, pieces: readonly string[], reason: FinishReason = "stop"): Answer {
  const events: GenerationEvent[] = pieces.flatMap((text, i) => reader.push({ text, completionTokens: i + 1 }));
  const end = reader.end(reason);
  const answer: Answer = { text: "", reasoning: "", calls: [], reason: end.reason };
  for (const event of [...events, ...end.events]) {
    if (event.type === "text") answer.text += event.text;
    else if (event.type === "reasoning") answer.reasoning += event.text;
    else if (event.type === "toolCall") {
      expect(event.index).toBe(answer.calls.length);
      answer.calls.push({ id: event.id, name: event.name, arguments: "" });
    } else if (event.type === "toolArguments") {
      const call = answer.calls[event.index];
      if (call === undefined) throw new Error(`arguments of call ${event.index}, which did not begin`);
      call.arguments += event.text;
    }
  }
  return answer;
}

function write({ writing }: ToolFormat, calls: readonly (readonly [string, string])[]): string {
  const { open, beforeName, beforeArguments, afterArguments, separator, close } = writing;
  const each = calls.map(([name, json]) => beforeName + name + beforeArguments + json + afterArguments);
  return `${open[0]}${each.join(separator)}${close}`;
}

const names = new Set(["get_weather", "f"]);
const formats = [...toolFormats, genericFormat];
const someArguments = ['{"city": "Paris [\\"}] {", "n": [1, {"x": null}]}', "{}"];

describe.each(formats.map((format) => [format.name, format] as const))("the format %s", (_, format) => {
  const written = someArguments
    .map((json, i) => [i === 0 ? "get_weather" : "f", json] as const)
    .slice(0, format.writing.several ? 2 : 1);

  it("is read as it is written, however it is cut", () => {
    const whole = write(format, written);
    for (let size = 1; size <= whole.length; size++) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
        whole.slice(i * size, (i + 1) * size),
      );
      expect(together(readerOf({ calls: { format, names } }), pieces)).toEqual({
        text: "",
        reasoning: "",
        calls: written.map(([name, json], i) => ({ id: `call_${i}`, name, arguments: json })),
        reason: "toolCalls",
      });
    }
  });

  it("has text before its calls, unless they are bare", () => {
    const answer = together(readerOf({ calls: { format, names } }), [`Well.\n${write(format, written)}`]);
    if (format.bare) expect(answer).toMatchObject({ calls: [], reason: "stop" });
    else expect(answer).toMatchObject({ text: "Well.", calls: written.map(([name]) => ({ name })) });
  });

  it("gives calls of what isn't there back as text", () => {
    const whole = write(format, [["unknown", "{}"]]);
    expect(together(readerOf({ calls: { format, names } }), [...whole])).toMatchObject({
      text: whole,
      calls: [],
      reason: "stop",
    });
  });

  it("gives back what was cut off before the arguments", () => {
    const whole = write(format, [["f", "{}"]]);
    const cut = whole.slice(0, whole.indexOf("{}"));
    const answer = together(readerOf({ calls: { format, names } }), [...cut], "length");
    expect(answer).toMatchObject({ text: cut, calls: [], reason: "length" });
  });

  it("keeps arguments that were cut off as they are", () => {
    const whole = write(format, [["f", '{"a": 1}']]);
    const cut = whole.slice(0, whole.indexOf('{"a": ') + 6);
    const answer = together(readerOf({ calls: { format, names } }), [...cut], "length");
    expect(answer).toMatchObject({ text: "", calls: [{ name: "f", arguments: '{"a": ' }], reason: "length" });
  });

  it("says the same however any text is cut", () => {
    const fragment = fc.oneof(
      fc.constantFrom(
        ...format.begins,
        ...format.closings,
        ...format.separators,
        ...format.marks,
        "<think>",
        "</think>",
      ),
      fc.constantFrom(
        " ",
        "\n",
        "[",
        "]",
        ",",
        "{",
        "}",
        '"',
        "x",
        "<",
        '{"name": "f", "arguments": {"a": 1}}',
        "f",
        "{}",
      ),
      fc.constantFrom(
        write(format, [["f", '{"b":"}"}']]),
        '{"arguments": {"a": [1]}, "name": "f"}',
        '{"name":"f","arguments":"{}"}',
      ),
    );
    const cutText = fc.array(fragment, { maxLength: 12 }).chain((fragments) => {
      const whole = fragments.join("");
      return fc.tuple(fc.constant(whole), fc.array(fc.nat(whole.length), { maxLength: 20 }));
    });
    fc.assert(
      fc.property(cutText, fc.boolean(), ([whole, places], isOpen) => {
        const make = () => readerOf({ calls: { format, names }, thinking: { ...thinkTags, isOpen } });
        const cuts = [0, ...places.sort((a, b) => a - b), whole.length];
        const pieces = cuts.slice(1).map((cut, i) => whole.slice(cuts[i], cut));
        const { text, reasoning, calls } = together(make(), [whole]);
        expect(together(make(), pieces)).toMatchObject({ text, reasoning, calls });
        expect(together(make(), [...whole])).toMatchObject({ text, reasoning, calls });
      }),
      { numRuns: 300 },
    );
  });
});

describe("thinking", () => {
  it("is told apart, where the prompt opened it and where the model does", () => {
    const expected = { reasoning: "Hm.\n\nYes", text: "It is 5.", calls: [], reason: "stop" };
    const opened = ["\nHm.\n", "\nYes\n</th", "ink>\n\nIt is 5."];
    expect(together(readerOf({ thinking: { ...thinkTags, isOpen: true } }), opened)).toEqual(expected);
    const opens = ["<thi", "nk>", ...opened];
    expect(together(readerOf({ thinking: { ...thinkTags, isOpen: false } }), opens)).toEqual(expected);
  });

  it("that is empty is none, and one later on is text", () => {
    const pieces = ["<think>\n\n</think>\n\n", "a <think>b</think>"];
    const answer = together(readerOf({ thinking: { ...thinkTags, isOpen: false } }), pieces);
    expect(answer).toMatchObject({ reasoning: "", text: "a <think>b</think>" });
  });

  it("has its tokens counted, to the end where it has no other", () => {
    const reader = readerOf({ thinking: { ...thinkTags, isOpen: true } });
    reader.push({ text: "a", completionTokens: 3 });
    reader.push({ text: "</think>", completionTokens: 4 });
    reader.push({ text: "b", completionTokens: 9 });
    expect(reader.end("stop").reasoningTokens).toBe(4);
    const endless = readerOf({ thinking: { ...thinkTags, isOpen: true } });
    endless.push({ text: "a", completionTokens: 7 });
    expect(endless.end("length").reasoningTokens).toBe(7);
  });
});

it("tells plain text at once and as it is, white space too, without special tokens", () => {
  const reader = readerOf();
  expect(reader.push({ text: " a <", completionTokens: 1 })).toEqual([
    { type: "text", text: " a <", completionTokens: 1 },
  ]);
  expect(reader.push({ text: "<|x|>", completionTokens: 2 })).toEqual([]);
  expect(reader.push({ text: "\n", completionTokens: 3 })).toEqual([{ type: "text", text: "\n", completionTokens: 3 }]);
});

it("tells each token once, with the text that it begins", () => {
  const token = (text: string): WrittenToken => ({ token: 1, text, bytes: new Uint8Array(), logprob: 0, top: [] });
  const reader = readerOf({ calls: { format: genericFormat, names } });
  const pieces = ["a", "b<too", "l_", " c"];
  const events = pieces.flatMap((text, i) => reader.push({ text, completionTokens: i, tokens: [token(text)] }));
  const told = [...events, ...reader.end("stop").events].flatMap((event) =>
    "tokens" in event ? (event.tokens ?? []) : [],
  );
  expect(told.map(({ text }) => text)).toEqual(pieces);
});

it("streams arguments while they are written", () => {
  const reader = readerOf({ calls: { format: genericFormat, names } });
  reader.push({ text: '<tool_call>{"name": "f", "arguments": ', completionTokens: 1 });
  expect(reader.push({ text: '{"a": "b', completionTokens: 2 }).map(({ type }) => type)).toEqual([
    "toolCall",
    "toolArguments",
  ]);
  expect(reader.push({ text: 'c"', completionTokens: 3 })).toEqual([
    { type: "toolArguments", index: 0, text: 'c"', completionTokens: 3 },
  ]);
});
