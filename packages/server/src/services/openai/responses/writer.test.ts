import type { ResponseOutputItem } from "@gristmill/contract";
import type { GenerationEvent } from "@gristmill/engine";
import fc from "fast-check";
import { expect, test } from "vitest";
import { generation } from "../testing/events.ts";
import { type ResponseEvent, ResponseWriter } from "./writer.ts";

function written(events: readonly GenerationEvent[]): { told: readonly ResponseEvent[]; writer: ResponseWriter } {
  const writer = new ResponseWriter("x");
  return { told: events.flatMap((event) => writer.add(event)), writer };
}

/** What a client has that reads nothing but beginnings and deltas. */
function putTogether(told: readonly ResponseEvent[]): readonly object[] {
  const items: Record<string, unknown>[] = [];
  for (const event of told) {
    const at = items[event["output_index"] as number] as { content: Record<string, unknown>[]; arguments: string };
    const [part] = at?.content ?? [];
    if (event.type === "response.output_item.added") items.push(structuredClone(event["item"]) as (typeof items)[0]);
    if (event.type === "response.content_part.added")
      at.content.push(structuredClone(event["part"]) as Record<string, unknown>);
    if (/text\.delta$/.test(event.type) && part !== undefined) {
      part["text"] = String(part["text"]) + String(event["delta"]);
      if (Array.isArray(part["logprobs"])) part["logprobs"].push(...(event["logprobs"] as unknown[]));
    }
    if (event.type === "response.function_call_arguments.delta") at.arguments += String(event["delta"]);
  }
  return items;
}

const without = (items: readonly object[]) => items.map((item) => ({ ...item, status: undefined }));

test.each([true, false])("[SVC9] streamed deltas put together are the whole answer (probabilities: %s)", (tokens) => {
  fc.assert(
    fc.property(generation(tokens), (events) => {
      const { told, writer } = written(events);
      expect(without(putTogether(told))).toEqual(without(writer.output));
      const done = told.filter(({ type }) => type === "response.output_item.done");
      const byIndex = done.toSorted((a, b) => Number(a["output_index"]) - Number(b["output_index"]));
      expect(byIndex.map(({ item }) => item)).toEqual(writer.output);
      expect(writer.output.some(({ status }) => status === "in_progress")).toBe(false);
    }),
  );
});

const usage = { promptTokens: 1, cachedTokens: 0, completionTokens: 1, reasoningTokens: 0 };
const timings = { queueMs: 0, promptMs: 0, completionMs: 0 };
const finished = (reason: "stop" | "length" | "contentFilter"): GenerationEvent => ({
  type: "finished",
  reason,
  usage,
  timings,
});

test("an answer of nothing is a message without text", () => {
  const { told, writer } = written([{ type: "started", promptTokens: 1, cachedTokens: 0 }, finished("stop")]);
  expect(writer.output).toMatchObject([{ type: "message", status: "completed", content: [{ text: "" }] }]);
  expect(told.map(({ type }) => type)).toEqual([
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
  ]);
});

test("only what was written last is incomplete when an answer is cut off", () => {
  const call = (index: number): GenerationEvent => ({
    type: "toolCall",
    index,
    id: `c${index}`,
    name: "f",
    completionTokens: 1,
  });
  const { writer } = written([
    { type: "text", text: "a", completionTokens: 1 },
    call(0),
    call(1),
    { type: "toolArguments", index: 0, text: "{}", completionTokens: 1 },
    finished("length"),
  ]);
  const states = writer.output.map(({ type, status }: ResponseOutputItem) => `${type} ${status}`);
  expect(states).toEqual(["message completed", "function_call completed", "function_call incomplete"]);
  expect(writer.ending).toEqual({ status: "incomplete", reason: "max_output_tokens" });
  expect(written([finished("contentFilter")]).writer.ending).toMatchObject({ reason: "content_filter" });
});
