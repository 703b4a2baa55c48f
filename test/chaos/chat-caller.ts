/** @file One caller of the stress test of language models: asks, and now and then goes away at some moment of the answer. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "./random.ts";

/** Tokens by meter, without "service.". */
export type Used = Readonly<Record<string, number>>;

/** How one request ended, as its caller knows it. */
export interface Outcome {
  readonly kind: "answered" | "refused" | "cut" | "left";
  /** undefined: the caller left before it was told. */
  readonly requestId: string | undefined;
  /** What the answer said that it used; undefined: it did not come to that. */
  readonly used: Used | undefined;
  /** Pieces of text that came: each is a token or more. */
  readonly pieces: number;
  /** Tokens that the request allows, all answers together. */
  readonly most: number;
  /** What should not have been answered so. */
  readonly fault?: string;
}

/** What a caller does. */
interface Plan {
  readonly body: Readonly<Record<string, unknown>>;
  readonly isStream: boolean;
  readonly most: number;
  /** Goes after so long, or after so many pieces; neither: stays. */
  readonly leaveAfterMs: number | undefined;
  readonly leaveAfterPieces: number | undefined;
}

/** Errors that say "not now". */
const proper: ReadonlySet<string> = new Set(["engine.queue_full", "engine.replica_died", "deployment.not_ready"]);

/** Asks once, as the random numbers say. */
export async function ask(url: string, key: string, model: string, random: Random): Promise<Outcome> {
  const { body, isStream, most, leaveAfterMs, leaveAfterPieces } = planned(model, random);
  const gone = new AbortController();
  let [requestId, pieces, text]: [string | undefined, number, string] = [undefined, 0, ""];
  if (leaveAfterMs !== undefined) void sleep(leaveAfterMs).then(() => gone.abort());
  const outcome = (kind: Outcome["kind"], more: Partial<Outcome> = {}): Outcome => {
    return { kind, requestId, used: undefined, pieces, most, ...more };
  };
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: gone.signal,
    });
    requestId = answer.headers.get("x-request-id") ?? undefined;
    const decoder = new TextDecoder();
    for await (const bytes of answer.body ?? []) {
      text += decoder.decode(bytes, { stream: true });
      if (isStream) pieces = text.split('"content":"').length - text.split('"content":""').length;
      if (leaveAfterPieces !== undefined && pieces >= leaveAfterPieces) gone.abort();
    }
    return outcomeOf(answer.status, text, isStream && answer.ok, outcome);
  } catch (error) {
    return gone.signal.aborted ? outcome("left") : outcome("cut", { fault: `the connection ended: ${String(error)}` });
  }
}

function planned(model: string, random: Random): Plan {
  const maxTokens = 1 + random.below(60);
  const n = random.below(5) === 0 ? 2 : 1;
  const isStream = random.below(3) > 0;
  const leaving = random.below(5);
  return {
    body: {
      model,
      messages: [{ role: "user", content: "the cat ".repeat(1 + random.below(40)) + random.below(8) }],
      max_tokens: maxTokens,
      n,
      seed: random.below(1000),
      temperature: random.below(3) / 2,
      // Half of them never end by themselves.
      ...(random.below(2) === 0 ? { logit_bias: { 2: -100 } } : {}),
      ...(isStream ? { stream: true, stream_options: { include_usage: true } } : {}),
    },
    isStream,
    most: n * maxTokens,
    leaveAfterMs: leaving === 0 ? random.below(200) : undefined,
    leaveAfterPieces: leaving === 1 && isStream ? 1 + random.below(20) : undefined,
  };
}

type Make = (kind: Outcome["kind"], more?: Partial<Outcome>) => Outcome;

function outcomeOf(status: number, text: string, isStream: boolean, outcome: Make): Outcome {
  const said = isStream ? text.split("\n\n").filter((line) => line !== "" && !line.startsWith(":")) : [text];
  const isDone = said.at(-1) === "data: [DONE]";
  const last = JSON.parse((isDone ? said.at(-2) : said.at(-1))?.replace(/^data: /, "") ?? "null") as Said | null;
  if (last?.error !== undefined) {
    const isProper = proper.has(last.error.code) && last.error.message !== "";
    const kind = isStream ? "cut" : "refused";
    return outcome(kind, isProper ? {} : { fault: `${status}: ${JSON.stringify(last.error)}` });
  }
  if (isStream ? !isDone : status !== 200) return outcome("cut", { fault: `${status}, without an end: ${text}` });
  if (last?.usage === undefined) return outcome("answered", { fault: `no usage: ${text}` });
  const { prompt_tokens, completion_tokens, prompt_tokens_details } = last.usage;
  const cached = prompt_tokens_details.cached_tokens;
  const used = {
    requests: 1,
    input_tokens: prompt_tokens - cached,
    cached_input_tokens: cached,
    output_tokens: completion_tokens,
  };
  return outcome("answered", { used: Object.fromEntries(Object.entries(used).filter(([, tokens]) => tokens > 0)) });
}

/** What is read of an answer, or of a stream's last chunk. */
interface Said {
  readonly error?: { readonly code: string; readonly message: string };
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details: { readonly cached_tokens: number };
  };
}
