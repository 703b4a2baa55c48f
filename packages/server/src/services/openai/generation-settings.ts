/** @file Pure: fields that routes which generate share, as our own settings. */
import type { CreateChatCompletion, CreateCompletion } from "@gristmill/contract";
import type { Sampling } from "@gristmill/engine";

type Body = CreateChatCompletion | CreateCompletion;

/** Fields that say how tokens are chosen; a route need not have all. */
export type SamplingFields = Partial<
  Pick<
    CreateChatCompletion,
    "temperature" | "top_p" | "top_k" | "min_p" | "frequency_penalty" | "presence_penalty" | "seed" | "logit_bias"
  >
>;

/** A record without what was left out: optional properties of ours are never undefined. */
export function given<T extends object>(fields: { readonly [K in keyof T]: T[K] | null | undefined }): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as Partial<T>;
}

/** How tokens are chosen. @param answer counted from 0: each of several has a seed of its own. */
export const samplingOf = (body: SamplingFields, answer: number): Sampling =>
  given<Sampling>({
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k,
    minP: body.min_p,
    frequencyPenalty: body.frequency_penalty,
    presencePenalty: body.presence_penalty,
    seed: body.seed === null || body.seed === undefined ? undefined : seedOf(body.seed, answer),
    logitBias: biases(body),
  });

/** The low 32 bits of seed + answer. */
const seedOf = (seed: number, answer: number): number => Number(BigInt.asUintN(32, BigInt(seed) + BigInt(answer)));

const biases = ({ logit_bias }: SamplingFields): Sampling["logitBias"] =>
  logit_bias === null || logit_bias === undefined
    ? undefined
    : Object.entries(logit_bias).map(([token, bias]) => [Number(token), bias] as const);

/** Texts at which an answer ends. */
export function stopOf({ stop }: Body): readonly string[] {
  if (stop === null || stop === undefined) return [];
  return typeof stop === "string" ? [stop] : stop;
}
