/** @file The contract of an engine of language models: a new one gets these tests by one call. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ContextLengthError, EngineClosedError, EngineRequestError, QueueFullError } from "../../errors.ts";
import type { GenerationEvent } from "../answer.ts";
import type { LanguageEngine, LanguageEngineOptions } from "../language-engine.ts";
import type { CompletionRequest } from "../request.ts";

/** What an engine says of itself where it can't do all. */
export interface LanguageEngineTraits {
  /** The token of a letter from a to z, alone. */
  letter(letter: string): number;
  /** The token that ends an answer. */
  readonly end: number;
}

type LoadForTest = (options: LanguageEngineOptions) => Promise<LanguageEngine>;
type Finished = Extract<GenerationEvent, { type: "finished" }>;

/** All events of an answer put together. */
export interface WholeAnswer {
  readonly events: readonly GenerationEvent[];
  readonly text: string;
  readonly finished: Finished;
  readonly cachedTokens: number;
}

/** Reads an answer to its end; checks the order of its events and its counts on the way. */
export async function readAnswer(events: AsyncIterable<GenerationEvent>): Promise<WholeAnswer> {
  const all: GenerationEvent[] = [];
  for await (const event of events) all.push(event);
  const [started] = all;
  const finished = all.at(-1);
  if (started?.type !== "started" || finished?.type !== "finished")
    throw new Error(`expected started first and finished last, received ${all.map(({ type }) => type).join(", ")}`);
  const middle = all.slice(1, -1);
  let counted = 0;
  for (const event of middle) {
    if (event.type === "started" || event.type === "finished") throw new Error(`${event.type} came twice`);
    expect(event.completionTokens).toBeGreaterThanOrEqual(counted);
    counted = event.completionTokens;
  }
  expect(finished.usage.completionTokens).toBeGreaterThanOrEqual(counted);
  expect(finished.usage.promptTokens).toBe(started.promptTokens);
  expect(finished.usage.cachedTokens).toBe(started.cachedTokens);
  const text = middle.map((event) => (event.type === "text" ? event.text : "")).join("");
  return { events: all, text, finished, cachedTokens: started.cachedTokens };
}

/**
 * @param load an engine on a model that can complete, with a context of 256 tokens or more. It is loaded with 4 slots,
 * a queue of 2, and chunks of 16 tokens.
 */
export function describeLanguageEngine(name: string, load: LoadForTest, traits: LanguageEngineTraits): void {
  describe(`${name} keeps the contract of language engines`, () => {
    const options = { name: "tiny", threads: 1, contextLength: 256, slots: 4, maxQueue: 8, prefillChunk: 16 };
    const live = new AbortController().signal;
    let engine: LanguageEngine;
    const request = (prompt: string, more: Partial<CompletionRequest> = {}): CompletionRequest => ({
      prompt,
      stop: [],
      maxTokens: 16,
      ...more,
      sampling: { temperature: 0, logitBias: [[traits.end, -100]], ...more.sampling },
    });
    const answer = (given: CompletionRequest, signal = live) => readAnswer(engine.complete(given, { signal }));
    const only = (letter: string) => ({ logitBias: [[traits.letter(letter), 100]] as const });
    const idle = async (): Promise<void> => {
      for (let i = 0; i < 200 && engine.load().busySlots + engine.load().waiting > 0; i++)
        await new Promise((resolve) => setTimeout(resolve, 5));
      expect(engine.load()).toEqual({ slots: 4, busySlots: 0, waiting: 0 });
    };
    beforeAll(async () => {
      engine = await load(options);
    });
    afterAll(() => engine.close());

    it("[LNG1] starts, writes, and finishes with the tokens that it counted", async () => {
      const { finished, events } = await answer(request("the cat"));
      expect(finished.reason).toBe("length");
      expect(finished.usage.completionTokens).toBe(16);
      expect(finished.usage.promptTokens).toBe(
        await engine.countTokens({ prompt: request("the cat").prompt }, { signal: live }),
      );
      expect(Math.min(...Object.values(finished.timings))).toBeGreaterThanOrEqual(0);
      expect(events.length).toBeGreaterThan(2);
    });

    it("[LNG2] ends with the model's end, which counts and is not shown", async () => {
      const { text, finished } = await answer(request("a", { sampling: { logitBias: [[traits.end, 100]] } }));
      expect({ text, reason: finished.reason, count: finished.usage.completionTokens }).toEqual({
        text: "",
        reason: "stop",
        count: 1,
      });
    });

    it("[LNG3] ends before a stop string that tokens share, and shows no part of it", async () => {
      const whole = await answer(request("b", { sampling: only("z") }));
      expect(whole.text).toBe("z".repeat(16));
      const stopped = await answer(request("b", { sampling: only("z"), stop: ["zzz", "no"] }));
      expect([stopped.text, stopped.finished.reason, stopped.finished.usage.completionTokens]).toEqual(["", "stop", 3]);
      const held = await answer(request("b", { sampling: only("z"), stop: ["zzy"], maxTokens: 5 }));
      expect([held.text, held.finished.reason]).toEqual(["zzzzz", "length"]);
    });

    it("[LNG4] writes until the context is full, and not a token more", async () => {
      const { maxTokens: _, ...open } = request("go on", { sampling: only("z") });
      const { finished } = await answer(open);
      expect(finished.reason).toBe("length");
      expect(finished.usage.promptTokens + finished.usage.completionTokens).toBe(256);
    });

    it("[LNG5] refuses what does not fit into the context, with counts, and cuts nothing", async () => {
      const error = await answer(request("x ".repeat(300))).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ContextLengthError);
      expect(error).toMatchObject({ maxTokens: 16, contextLength: 256 });
      expect((error as ContextLengthError).promptTokens).toBeGreaterThan(256);
      await expect(answer(request("x", { maxTokens: 256 }))).rejects.toBeInstanceOf(ContextLengthError);
      const huge = await answer(request("x".repeat(1_000_000))).catch((reason: unknown) => reason);
      expect(huge).toBeInstanceOf(ContextLengthError);
    });

    it("[LNG6] reads again only what is new of a prompt", async () => {
      const first = await answer(request("once upon a time there was a cat and "));
      const more = `once upon a time there was a cat and ${first.text}`;
      const second = await answer(request(more));
      const count = await engine.countTokens({ prompt: "once upon a time there was a cat and" }, { signal: live });
      expect(second.cachedTokens).toBeGreaterThanOrEqual(count);
      expect(second.cachedTokens).toBeLessThan(second.finished.usage.promptTokens);
    });

    it("[LNG7] answers the same alone and among others", async () => {
      const prompts = Array.from({ length: 8 }, (_, i) => `the ${"cat ".repeat(i * 3)}number ${i} says`);
      for (const sampling of [{ temperature: 0 }, { temperature: 1, seed: 7 }]) {
        const alone: string[] = [];
        for (const prompt of prompts) alone.push((await answer(request(prompt, { sampling }))).text);
        const together = await Promise.all(prompts.map((prompt) => answer(request(prompt, { sampling }))));
        expect(together.map(({ text }) => text)).toEqual(alone);
      }
    });

    it("[LNG8] frees its slot when the caller goes: in the queue, in the prompt, in the answer", async () => {
      const long = "y ".repeat(100);
      for (const afterMs of [0, 1, 3, 8, 20]) {
        const controller = new AbortController();
        const calls = Array.from({ length: 10 }, (_, i) =>
          answer(request(`${i}${long}`, { maxTokens: 50 }), controller.signal),
        );
        const reason = new Error("gone");
        setTimeout(() => controller.abort(reason), afterMs);
        const results = await Promise.allSettled(calls);
        for (const result of results) if (result.status === "rejected") expect(result.reason).toBe(reason);
        await idle();
      }
      expect((await answer(request("still here"))).finished.usage.completionTokens).toBe(16);
    });

    it("[LNG9] frees its slot when the reader stops reading", async () => {
      for (const events of [1, 2, 4]) {
        let read = 0;
        for await (const _ of engine.complete(request("stop soon", { maxTokens: 200 }), { signal: live }))
          if (++read === events) break;
        await idle();
      }
      await expect(answer(request("gone"), AbortSignal.abort("gone"))).rejects.toBe("gone");
    });

    it("[LNG10] lets only so many wait", async () => {
      const calls = Array.from({ length: 14 }, (_, i) => answer(request(`${i}`)));
      const results = await Promise.allSettled(calls);
      const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
      expect(refused).toHaveLength(2);
      expect(refused[0]).toBeInstanceOf(QueueFullError);
    });

    it("[LNG11] refuses what is wrong in a request by its field", async () => {
      const size = engine.card.vocabularySize;
      const wrong: [Partial<CompletionRequest>, string][] = [
        [{ sampling: { temperature: Number.NaN } }, "sampling.temperature"],
        [{ sampling: { temperature: -1 } }, "sampling.temperature"],
        [{ sampling: { topP: 0 } }, "sampling.topP"],
        [{ sampling: { topK: 1.5 } }, "sampling.topK"],
        [{ sampling: { minP: 2 } }, "sampling.minP"],
        [{ sampling: { frequencyPenalty: 3 } }, "sampling.frequencyPenalty"],
        [{ sampling: { presencePenalty: Number.NEGATIVE_INFINITY } }, "sampling.presencePenalty"],
        [{ sampling: { seed: 2 ** 40 } }, "sampling.seed"],
        [{ sampling: { logitBias: [[size, 1]] } }, "sampling.logitBias[0]"],
        [{ sampling: { logitBias: [[1, Number.NaN]] } }, "sampling.logitBias[0]"],
        [{ maxTokens: -1 }, "maxTokens"],
        [{ logprobs: 21 }, "logprobs"],
        [{ stop: ["a", ""] }, "stop[1]"],
        [{ prompt: [1, size] }, "prompt[1]"],
        [{ prompt: [-1] }, "prompt[0]"],
        [{ prompt: [] }, "prompt"],
        [{ prompt: "half \ud800 a letter" }, "prompt"],
      ];
      for (const [part, field] of wrong) {
        const error = await answer(request("a", part)).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(EngineRequestError);
        expect((error as EngineRequestError).field).toBe(field);
      }
      await idle();
    });

    it("[LNG12] tells the logarithmic probabilities of what was chosen and what was likeliest", async () => {
      const { events, text } = await answer(request("the", { logprobs: 3, sampling: { temperature: 2, seed: 3 } }));
      const tokens = events.flatMap((event) => (event.type === "text" ? (event.tokens ?? []) : []));
      expect(tokens).toHaveLength(16);
      expect(new TextDecoder().decode(Buffer.concat(tokens.map(({ bytes }) => bytes)))).toBe(text);
      for (const { logprob, top, token } of tokens) {
        expect(logprob).toBeLessThanOrEqual(1e-4);
        expect(top).toHaveLength(3);
        expect(top.map((other) => other.logprob)).toEqual(top.map((other) => other.logprob).sort((a, b) => b - a));
        expect(top.reduce((sum, other) => sum + Math.exp(other.logprob), 0)).toBeLessThanOrEqual(1.001);
        const same = top.find((other) => other.token === token);
        if (same !== undefined) expect(same.logprob).toBe(logprob);
      }
    });

    it("[LNG13] keeps penalties and bias away from other requests", async () => {
      const repeats = (text: string): number => text.split("z").length - 1;
      const bias = [[traits.letter("z"), 18]] as const;
      const [free, held, plain] = await Promise.all([
        answer(request("m", { sampling: { logitBias: bias }, maxTokens: 40 })),
        answer(request("m", { sampling: { logitBias: bias, frequencyPenalty: 2 }, maxTokens: 40 })),
        answer(request("m", { maxTokens: 40 })),
      ]);
      expect(repeats(free.text)).toBe(40);
      expect(repeats(held.text)).toBeGreaterThan(0);
      expect(repeats(held.text)).toBeLessThan(30);
      const present = answer(request("m", { sampling: { logitBias: bias, presencePenalty: 2 }, maxTokens: 40 }));
      // taken off once, where frequency takes it off each time
      expect(repeats((await present).text)).toBeGreaterThan(repeats(held.text));
      expect(repeats(plain.text)).toBeLessThan(10);
      expect((await answer(request("m", { maxTokens: 40 }))).text).toBe(plain.text);
    });

    it("[LNG14] ends what is under way when it is closed, and refuses afterwards", async () => {
      const own = await load(options);
      const calls = Array.from({ length: 6 }, () =>
        readAnswer(own.complete(request("long", { maxTokens: 200 }), { signal: live })).catch(
          (reason: unknown) => reason,
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 10));
      await Promise.all([own.close(), own.close()]);
      for (const result of await Promise.all(calls)) expect(result).toBeInstanceOf(EngineClosedError);
      const late = readAnswer(own.complete(request("late"), { signal: live }));
      await expect(late).rejects.toBeInstanceOf(EngineClosedError);
      await expect(own.countTokens({ prompt: "late" }, { signal: live })).rejects.toBeInstanceOf(EngineClosedError);
    });
  });
}
