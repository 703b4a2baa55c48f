import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@gristmill/contract";
import type { GenerationEvent } from "@gristmill/engine";
import { expect, test } from "vitest";
import type { Generation } from "../../serving/index.ts";
import { Generations } from "./generations.ts";

const by = { served: { deployment: "d", model: "m", model_version: "1" }, revision: 1, modelVersion: 1 };
const usage = { promptTokens: 3, cachedTokens: 0, completionTokens: 2, reasoningTokens: 0 };
const timings = { queueMs: 0, promptMs: 0, completionMs: 0 };
const started: GenerationEvent = { type: "started", promptTokens: 3, cachedTokens: 0 };
const text = (said: string, completionTokens: number): GenerationEvent => ({
  type: "text",
  text: said,
  completionTokens,
});
const finished: GenerationEvent = { type: "finished", reason: "stop", usage, timings };

/** Slots that are taken until their answer is read to its end or aborted: what replicas have. */
function slots(count: number) {
  const waiting: (() => void)[] = [];
  let free = count;
  const release = (): void => {
    free += 1;
    waiting.shift()?.();
  };
  const take = async (signal: AbortSignal): Promise<void> => {
    while (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    signal.throwIfAborted();
    free -= 1;
  };
  const generate = async (index: number, signal: AbortSignal): Promise<Generation> => {
    await take(signal);
    async function* events(): AsyncGenerator<GenerationEvent> {
      try {
        yield started;
        yield text(`${index}`, 1);
        await sleep(1, undefined, { signal });
        yield text("!", 2);
        yield finished;
      } finally {
        release();
      }
    }
    return { ...by, events: events() };
  };
  return { generate, free: () => free };
}

const { signal } = new AbortController();

test("more answers than slots are all written, each whole", async () => {
  const { generate, free } = slots(2);
  const generations = await Generations.begin({ count: 7, perPrompt: 7, signal, generate });
  const answers = await generations.whole();
  expect(answers.map((answer) => answer.text)).toEqual([0, 1, 2, 3, 4, 5, 6].map((index) => `${index}!`));
  expect(generations.usage).toEqual({ ...usage, completionTokens: 14 });
  expect(free()).toBe(2);
});

test("who stops reading ends all, and pays for what was begun", async () => {
  const { generate, free } = slots(3);
  const generations = await Generations.begin({ count: 3, perPrompt: 1, signal, generate });
  for await (const { event } of generations.events()) if (event.type === "text") break;
  await generations.close();
  await expect.poll(free).toBe(3);
  expect(generations.hasStarted).toBe(true);
  expect(generations.usage.promptTokens).toBe(9);
  expect(generations.usage.completionTokens).toBeLessThanOrEqual(3);
});

test("an answer that nobody reads is counted as far as it began", async () => {
  const { generate } = slots(1);
  const generations = await Generations.begin({ count: 1, perPrompt: 1, signal, generate });
  await generations.close();
  expect(generations.usage).toMatchObject({ promptTokens: 3, completionTokens: 0 });
});

test("a refusal of the first is told before anything is sent, and ends the others", async () => {
  const aborted: number[] = [];
  const generate = async (index: number, either: AbortSignal): Promise<Generation> => {
    if (index === 1) throw new AppError("engine.request_invalid", "No.");
    return await new Promise((_, reject) =>
      either.addEventListener("abort", () => {
        aborted.push(index);
        reject(either.reason);
      }),
    );
  };
  await expect(Generations.begin({ count: 3, perPrompt: 3, signal, generate })).rejects.toThrow("No.");
  expect(aborted).toEqual([0, 2]);
});

test("a failure of one in the middle ends the reading of all", async () => {
  const generate = async (index: number): Promise<Generation> => ({
    ...by,
    events: (async function* () {
      yield started;
      if (index === 1) throw new AppError("engine.replica_died", "It died.");
      yield finished;
    })(),
  });
  const generations = await Generations.begin({ count: 2, perPrompt: 2, signal, generate });
  await expect(generations.whole()).rejects.toThrow("It died.");
});
