/** @file What one chunk of a stream says, whatever server wrote it: pure. */
import type { FinishReason, WrittenToken } from "../../language/answer.ts";
import { asArray, asObject, asText, type JsonObject } from "../json.ts";
import { readWrittenTokens } from "./written-tokens.ts";

/** One piece of text. */
export interface TextPiece {
  readonly type: "text" | "reasoning";
  readonly text: string;
}

/** A chunk, read. */
export interface Chunk {
  readonly texts: readonly TextPiece[];
  /** `delta.tool_calls`, for ToolCallReader. */
  readonly toolCalls: unknown;
  readonly tokens: readonly WrittenToken[] | undefined;
  /** As the upstream calls it. */
  readonly finish: string | undefined;
  /** `usage`, for readUsage. */
  readonly usage: unknown;
}

/**
 * Reads a chunk of a chat or of a completion; a whole answer too, which servers send that don't stream. Chunks without choices, such as
 * Azure's first with the results of its filters, are empty.
 */
export function readChunk(chunk: JsonObject): Chunk {
  const choices = (asArray(chunk["choices"]) ?? []).map(asObject);
  // One answer was asked for, so others are none of ours.
  const choice = choices.find((found) => found !== undefined && (found["index"] ?? 0) === 0);
  const delta = asObject(choice?.["delta"]) ?? asObject(choice?.["message"]);
  return {
    texts: delta === undefined ? textOf("text", choice?.["text"]) : textsOf(delta),
    toolCalls: delta?.["tool_calls"],
    tokens: readWrittenTokens(choice?.["logprobs"]),
    finish: asText(choice?.["finish_reason"]),
    usage: chunk["usage"] ?? asObject(chunk["x_groq"])?.["usage"],
  };
}

/** What servers call the end of an answer. */
const reasons: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  eos: "stop",
  eos_token: "stop",
  end_turn: "stop",
  stop_sequence: "stop",
  length: "length",
  max_tokens: "length",
  model_length: "length",
  tool_calls: "toolCalls",
  function_call: "toolCalls",
  tool_use: "toolCalls",
  content_filter: "contentFilter",
};

/** Our word for it; undefined: the answer is not complete ("abort", "error"). */
export const toFinishReason = (reason: string): FinishReason | undefined => reasons[reason.toLowerCase()];

function textsOf(delta: JsonObject): readonly TextPiece[] {
  const reasoning = textOf("reasoning", asText(delta["reasoning_content"]) ?? delta["reasoning"]);
  // A refusal is what the model says, too.
  return [...reasoning, ...contentOf(delta["content"], "text"), ...textOf("text", delta["refusal"])];
}

/** A text, or parts as Mistral has them: `{type: "text", text}` and `{type: "thinking", thinking: parts}`. */
function contentOf(content: unknown, type: TextPiece["type"]): readonly TextPiece[] {
  const parts = asArray(content);
  if (parts === undefined) return textOf(type, content);
  return parts.flatMap((value) => {
    const part = asObject(value);
    return part?.["type"] === "thinking" ? contentOf(part["thinking"], "reasoning") : textOf(type, part?.["text"]);
  });
}

const textOf = (type: TextPiece["type"], text: unknown): readonly TextPiece[] => {
  const found = asText(text);
  return found === undefined ? [] : [{ type, text: found }];
};
