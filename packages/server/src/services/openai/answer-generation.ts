/** @file One way for all routes that generate: begin, tell whole or piece by piece, end, and say what was used. */
import { createHash } from "node:crypto";
import type { AppError } from "@gristmill/contract";
import type { TokenUsage } from "@gristmill/engine";
import {
  type Answer,
  EventStream,
  eventStreamHeaders,
  type RouteContext,
  renderOpenAiFailure,
} from "../../http/index.ts";
import type { AnsweredBy, GenerateCall } from "../../serving/index.ts";
import { inWireWords, type WireWords } from "./bad-field.ts";
import { type LanguageService, tokenUse } from "./charge.ts";
import type { AnswerHead } from "./chat-answer.ts";
import { Generations, type IndexedEvent } from "./generations.ts";
import type { LanguageModels } from "./language-models.ts";

/** Makes the text of one stream: server-sent events, each with its empty line. */
export interface Frames {
  /** What tells of a piece; empty: nothing to tell. */
  piece(piece: IndexedEvent): string;
  /** After all pieces, with what they used. */
  last(usage: TokenUsage): string;
  /** When what was used is on the ledger. */
  end(): Promise<string>;
  /** Instead of what would have come. */
  failure(error: AppError): Promise<string>;
}

/** The events of one stream that are alike, as chat completions and completions have them. */
export interface Chunks {
  /** undefined: nothing to tell. */
  chunk(piece: IndexedEvent): unknown;
  /** After all others; undefined: it was not asked for. */
  usage(usage: TokenUsage): unknown;
}

/** Events without names, the last of which says that there are no more. */
export const dataFrames = (chunks: Chunks): Frames => ({
  piece: (piece) => line(chunks.chunk(piece)),
  last: (usage) => line(chunks.usage(usage)),
  end: async () => "data: [DONE]\n\n",
  failure: async (error) => line(renderOpenAiFailure(error)),
});

/** What a route makes of a request. */
export interface GenerationPlan {
  readonly service: LanguageService;
  /** Begins the answer's id: "chatcmpl-". */
  readonly idPrefix: string;
  readonly model: string;
  readonly calls: readonly GenerateCall[];
  /** Answers of each prompt, side by side in `calls`. */
  readonly perPrompt: number;
  readonly words: WireWords;
  readonly isStream: boolean;
  /** Reads the answers to their end. */
  readonly whole: (head: AnswerHead, generations: Generations) => Promise<unknown>;
  readonly frames: (head: AnswerHead) => Frames;
}

type Context = RouteContext<unknown, unknown, unknown>;

/** Runs a plan. @throws AppError as `LanguageDeployments.generate`. */
export async function answerGeneration(
  models: LanguageModels,
  context: Context,
  plan: GenerationPlan,
): Promise<Answer> {
  const begunMs = performance.now();
  const { caller, signal } = context;
  const generations = await Generations.begin({
    count: plan.calls.length,
    perPrompt: plan.perPrompt,
    signal,
    generate: (index, either) => models.generate(caller.projectId, plan.model, callAt(plan, index), { signal: either }),
  }).catch((failure: unknown) => {
    throw inWireWords(failure, plan.words);
  });
  const head = headOf(context, plan.idPrefix, generations.by);
  const use = (): void => {
    if (!generations.hasStarted) return;
    for (const quantity of tokenUse(plan.service, generations.by.served, generations.usage)) context.use(quantity);
  };
  if (plan.isStream) {
    const frames = plan.frames(head);
    return {
      headers: { ...eventStreamHeaders, ...processingHeader(begunMs) },
      body: new EventStream({
        events: told(generations, frames),
        end: () => frames.end(),
        failure: (error) => frames.failure(error),
        close: async () => {
          await generations.close();
          use();
        },
      }),
    };
  }
  try {
    const body = await plan.whole(head, generations);
    use();
    return { headers: processingHeader(begunMs), body };
  } catch (failure) {
    // Who went away pays for what was written until then; who gets an error of ours instead of an answer pays nothing.
    if (signal.aborted) use();
    throw inWireWords(failure, plan.words);
  } finally {
    await generations.close();
  }
}

function callAt({ calls }: GenerationPlan, index: number): GenerateCall {
  const call = calls[index];
  if (call === undefined) throw new RangeError(`there is no answer ${index}`);
  return call;
}

async function* told(generations: Generations, frames: Frames): AsyncGenerator<string> {
  for await (const piece of generations.events()) {
    const text = frames.piece(piece);
    if (text !== "") yield text;
  }
  const last = frames.last(generations.usage);
  if (last !== "") yield last;
}

/** One event; undefined: none. JSON has no line breaks outside of its texts' escapes, so one line is enough. */
const line = (value: unknown): string => (value === undefined ? "" : `data: ${JSON.stringify(value)}\n\n`);

const headOf = ({ requestId, admittedAt }: Context, prefix: string, by: AnsweredBy): AnswerHead => ({
  id: `${prefix}${requestId.slice(requestId.indexOf("_") + 1)}`,
  created: Math.floor(admittedAt.getTime() / 1000),
  model: by.served.deployment,
  system_fingerprint: fingerprintOf(by),
});

/** The same for the same weights and settings. */
const fingerprintOf = ({ served, revision, modelVersion }: AnsweredBy): string =>
  `fp_${createHash("sha256").update(`${served.deployment}/${revision}/${served.model}@${modelVersion}`).digest("hex").slice(0, 10)}`;

/** Time that we worked on the answer; of a stream, until its first byte. */
export const processingHeader = (begunMs: number): Record<string, string> => ({
  "openai-processing-ms": String(Math.round(performance.now() - begunMs)),
});
