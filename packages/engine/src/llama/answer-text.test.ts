import { describe, expect, it } from "vitest";
import type { WrittenToken } from "../language/answer.ts";
import { AnswerText } from "./answer-text.ts";

const text = (bytes: Uint8Array, isControl = false) => ({ bytes, isControl, isEnd: false });
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const written = (token: number): WrittenToken => ({ token, text: "", bytes: new Uint8Array(), logprob: 0, top: [] });

function run(pieces: readonly Uint8Array[], stop: readonly string[] = []) {
  const answer = new AnswerText(stop, false);
  const out = [];
  for (const [i, piece] of pieces.entries()) {
    if (!answer.isStopped) out.push(...answer.push(text(piece), written(i)));
  }
  out.push(...answer.end());
  return {
    texts: out.map((piece) => piece.text),
    tokens: out.map(({ tokens }) => tokens.map(({ token }) => token)),
    isStopped: answer.isStopped,
  };
}

describe("AnswerText", () => {
  it("shows whole characters, whatever tokens cut them", () => {
    const whole = "a🙂é\ufeffz";
    const single = run([...bytes(whole)].map((byte) => Uint8Array.of(byte)));
    expect(single.texts).toEqual(["a", "🙂", "é", "\ufeff", "z"]);
    expect(single.tokens).toEqual([[0], [1, 2, 3, 4], [5, 6], [7, 8, 9], [10]]);
  });

  it("shows what is no character, and half of one at the end, as U+FFFD", () => {
    expect(run([Uint8Array.of(0xff), bytes("a"), Uint8Array.of(0xe2, 0x82)]).texts.join("")).toBe("\ufffda\ufffd");
  });

  it("ends before the first stop string, however tokens cut it", () => {
    const whole = "one two<stop>three";
    for (let cut = 1; cut < whole.length; cut++) {
      const { texts, isStopped } = run([bytes(whole.slice(0, cut)), bytes(whole.slice(cut))], ["<stop>", "three"]);
      expect([texts.join(""), isStopped]).toEqual(["one two", true]);
    }
    expect(run([bytes("abcabd")], ["abd", "bca"])).toMatchObject({ texts: ["a"], tokens: [[0]] });
  });

  it("holds back what may become a stop string, and hands it out when it doesn't", () => {
    expect(run([bytes("x<"), bytes("st"), bytes("ay")], ["<stop>"]).texts).toEqual(["x", "<stay"]);
    expect(run([bytes("x<st")], ["<stop>"]).texts).toEqual(["x", "<st"]);
    expect(run([bytes("aa"), bytes("ab")], ["aab"])).toMatchObject({ texts: ["a"], isStopped: true });
  });

  it("tells tokens with the text that begins with them, and none of a stop string", () => {
    const { tokens } = run([bytes("a"), bytes("b"), bytes("<"), bytes("stop>")], ["<stop>"]);
    expect(tokens).toEqual([[0], [1]]);
  });

  it("leaves control tokens out, or shows each as a piece of its own", () => {
    expect(new AnswerText([], false).push(text(bytes("<|tool|>"), true))).toEqual([]);
    const shown = new AnswerText(["<x>"], true);
    expect(shown.push(text(bytes("a<")))).toEqual([{ text: "a", tokens: [] }]);
    expect(shown.push(text(bytes("<|tool|>"), true)).map((piece) => piece.text)).toEqual(["<", "<|tool|>"]);
    const stops = new AnswerText(["<|end|>"], true);
    expect([stops.push(text(bytes("<|end|>"), true)), stops.isStopped]).toEqual([[], true]);
  });
});
