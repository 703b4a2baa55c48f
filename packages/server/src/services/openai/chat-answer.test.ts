import type { ChatCompletion, ChatCompletionChunk } from "@gristmill/contract";
import { type Completion, chatCompletion, chatCompletionChunk, completion } from "@gristmill/contract";
import fc from "fast-check";
import { expect, it } from "vitest";
import { chatChunkOf, chatCompletionOf } from "./chat-answer.ts";
import { CompletionChunks, completionOf } from "./completion-answer.ts";
import { generation } from "./testing/events.ts";
import { sumUsage, TokenCounter, Writing } from "./written.ts";

const head = { id: "chatcmpl-1", created: 1, model: "m", system_fingerprint: "fp_1" };

function whole(events: Parameters<Writing["add"]>[0][]) {
  const [writing, counter] = [new Writing(), new TokenCounter()];
  for (const event of events) {
    writing.add(event);
    counter.add(event);
  }
  return { written: writing.written, usage: sumUsage([counter], 1) };
}

/** What a client makes of chunks, as OpenAI's own clients do it. */
function putTogether(chunks: readonly ChatCompletionChunk[]): ChatCompletion["choices"][number] {
  const message = { content: "", reasoning: "", calls: [] as { id: string; name: string; json: string }[] };
  const tokens: NonNullable<NonNullable<ChatCompletion["choices"][number]["logprobs"]>["content"]> = [];
  let [reason, hasLogprobs]: [string | null, boolean] = [null, false];
  for (const { choices } of chunks)
    for (const { delta, logprobs, finish_reason } of choices) {
      message.content += delta.content ?? "";
      message.reasoning += delta.reasoning_content ?? "";
      for (const call of delta.tool_calls ?? []) {
        const known = message.calls[call.index] ?? { id: "", name: "", json: "" };
        message.calls[call.index] = {
          id: known.id + (call.id ?? ""),
          name: known.name + (call.function.name ?? ""),
          json: known.json + (call.function.arguments ?? ""),
        };
      }
      hasLogprobs ||= logprobs !== null;
      tokens.push(...(logprobs?.content ?? []));
      reason ??= finish_reason;
    }
  return chatCompletion.shape.choices.element.parse({
    index: 0,
    message: {
      role: "assistant",
      content: message.content === "" && message.calls.length > 0 ? null : message.content,
      refusal: null,
      ...(message.reasoning === "" ? {} : { reasoning_content: message.reasoning }),
      ...(message.calls.length === 0
        ? {}
        : {
            tool_calls: message.calls.map(({ id, name, json }) => ({
              id,
              type: "function",
              function: { name, arguments: json },
            })),
          }),
    },
    logprobs: hasLogprobs ? { content: tokens, refusal: null } : null,
    finish_reason: reason,
  });
}

it.each([true, false])("[SVC9] chunks put together are the unstreamed answer (logprobs: %s)", (withLogprobs) => {
  fc.assert(
    fc.property(generation(withLogprobs), (events) => {
      const { written, usage } = whole([...events]);
      const answer = chatCompletion.parse(
        JSON.parse(JSON.stringify(chatCompletionOf(head, [written], usage, withLogprobs))),
      );
      const chunks = events.map((event) =>
        chatCompletionChunk.parse(JSON.parse(JSON.stringify(chatChunkOf(head, 0, event, false)))),
      );
      const [choice] = answer.choices;
      const together = putTogether(chunks);
      // Without any text there is no chunk that could say that there were no tokens.
      if (withLogprobs && together.logprobs === null) expect(choice?.logprobs?.content).toEqual([]);
      else expect(together.logprobs).toEqual(choice?.logprobs);
      expect({ ...together, logprobs: null }).toEqual({ ...choice, logprobs: null });
    }),
  );
});

it("chunks of a completion put together are the unstreamed one, with the places of its tokens", () => {
  fc.assert(
    fc.property(generation(true), (events) => {
      const plain = events.filter(({ type }) => !type.startsWith("tool"));
      const { written, usage } = whole(plain);
      const chunks = new CompletionChunks(head, false);
      const sent = plain.flatMap((event) => chunks.chunk(0, event) ?? []);
      const [choice] = completion.parse(JSON.parse(JSON.stringify(completionOf(head, [written], usage, true)))).choices;
      const list = (field: "tokens" | "token_logprobs" | "text_offset" | "top_logprobs"): unknown[] =>
        sent.flatMap(({ choices }) => choices.flatMap(({ logprobs }): unknown[] => logprobs?.[field] ?? []));
      expect({
        text: sent.map(({ choices }) => choices[0]?.text).join(""),
        index: 0,
        logprobs: JSON.parse(
          JSON.stringify({
            tokens: list("tokens"),
            token_logprobs: list("token_logprobs"),
            top_logprobs: list("top_logprobs"),
            text_offset: list("text_offset"),
          }),
        ),
        finish_reason: (sent.at(-1) as Completion).choices[0]?.finish_reason,
      }).toEqual(choice);
    }),
  );
});

it("what was counted when an answer is cut at any place is what its events said until there", () => {
  fc.assert(
    fc.property(generation(false), fc.nat(20), (events, cut) => {
      const seen = events.slice(0, cut);
      const { usage } = whole(seen);
      const last = seen.findLast((event) => "completionTokens" in event);
      const finished = seen.find(({ type }) => type === "finished");
      const expected = finished?.type === "finished" ? finished.usage.completionTokens : (last?.completionTokens ?? 0);
      expect(usage.completionTokens).toBe(expected);
      expect(usage.reasoningTokens).toBe(seen.filter(({ type }) => type === "reasoning").length);
    }),
  );
});

it("the prompt of several answers counts once, and an answer that never began counts nothing", () => {
  const counters = [0, 1, 2, 3].map(() => new TokenCounter());
  for (const index of [1, 2, 3]) {
    counters[index]?.add({ type: "started", promptTokens: 10 * index, cachedTokens: index });
    counters[index]?.add({ type: "text", text: "a", completionTokens: 5 });
  }
  const usage = { promptTokens: 30, cachedTokens: 3, completionTokens: 15, reasoningTokens: 0 };
  expect(sumUsage(counters, 2)).toEqual(usage);
});
