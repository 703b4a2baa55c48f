/** @file Random generations, as engines make them. */
import type { FinishReason, GenerationEvent, TokenProbability, WrittenToken } from "@gristmill/engine";
import fc from "fast-check";

const text = fc.string({ unit: "grapheme", maxLength: 6 });
const probability: fc.Arbitrary<TokenProbability> = fc.record({
  token: fc.nat(50_000),
  text,
  bytes: fc.uint8Array({ maxLength: 4 }),
  logprob: fc.oneof(fc.double({ min: -100, max: 0, noNaN: true }), fc.constant(Number.NEGATIVE_INFINITY)),
});
const token: fc.Arbitrary<WrittenToken> = fc
  .tuple(probability, fc.array(probability, { maxLength: 2 }))
  .map(([chosen, top]) => ({ ...chosen, top }));

type Piece =
  | { readonly kind: "text" | "reasoning"; readonly text: string; readonly tokens: readonly WrittenToken[] }
  | { readonly kind: "call"; readonly name: string; readonly pieces: readonly string[] };

const piece: fc.Arbitrary<Piece> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("text" as const), text, tokens: fc.array(token, { maxLength: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reasoning" as const), text, tokens: fc.constant([]) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("call" as const),
      name: fc.constantFrom("weather", "time"),
      pieces: fc.array(text, { maxLength: 3 }),
    }),
  },
);

/** A whole generation; with tokens where they were asked for. */
export const generation = (withTokens: boolean): fc.Arbitrary<readonly GenerationEvent[]> =>
  fc
    .tuple(
      fc.array(piece, { maxLength: 12 }),
      fc.nat(100),
      fc.nat(100),
      fc.constantFrom<FinishReason>("stop", "length", "toolCalls", "contentFilter"),
    )
    .map(([pieces, promptTokens, cached, reason]) => eventsOf(pieces, { promptTokens, cached, reason, withTokens }));

function eventsOf(
  pieces: readonly Piece[],
  more: { promptTokens: number; cached: number; reason: FinishReason; withTokens: boolean },
): readonly GenerationEvent[] {
  const { promptTokens, reason, withTokens } = more;
  const cachedTokens = Math.min(more.cached, promptTokens);
  const events: GenerationEvent[] = [{ type: "started", promptTokens, cachedTokens }];
  let [completionTokens, reasoningTokens, calls] = [0, 0, 0];
  for (const one of pieces) {
    completionTokens += 1;
    if (one.kind === "call") {
      const index = calls++;
      events.push({ type: "toolCall", index, id: `call_${index}`, name: one.name, completionTokens });
      for (const part of one.pieces) events.push({ type: "toolArguments", index, text: part, completionTokens });
      continue;
    }
    if (one.kind === "reasoning") reasoningTokens += 1;
    const tokens = withTokens && one.kind === "text" ? { tokens: one.tokens } : {};
    events.push({ type: one.kind, text: one.text, completionTokens, ...tokens });
  }
  events.push({
    type: "finished",
    reason,
    usage: { promptTokens, cachedTokens, completionTokens, reasoningTokens },
    timings: { queueMs: 0, promptMs: 1, completionMs: 2 },
  });
  return events;
}
