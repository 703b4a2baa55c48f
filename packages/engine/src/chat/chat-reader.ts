/** @file Who tells the text of an answer from its thinking and its tool calls; answer-reader.ts is the one there is. */
import type { FinishReason, GenerationEvent, WrittenToken } from "../language/answer.ts";

/** A further piece of what the model writes. */
export interface WrittenPiece {
  /**
   * Whole characters, with special tokens written out as their text, save those that end the answer: a reader needs
   * "[TOOL_CALLS]", and drops the special tokens that it doesn't know where a piece is one of them exactly. Empty is fine.
   */
  readonly text: string;
  /** Tokens chosen so far, of all pieces together. */
  readonly completionTokens: number;
  /** Where they were asked for: of the tokens behind this text. */
  readonly tokens?: readonly WrittenToken[];
}

/** What a reader says when an answer ends. */
export interface ReadEnd {
  /** What was held back. */
  readonly events: readonly GenerationEvent[];
  /** "toolCalls" where the model stopped after asking for some. */
  readonly reason: FinishReason;
  readonly reasoningTokens: number;
}

/** Tells the text of one answer from its thinking and its tool calls. */
export interface ChatReader {
  /** Events of the kinds text, reasoning, toolCall and toolArguments; what may still become a marker is held back. */
  push(piece: WrittenPiece): GenerationEvent[];
  /** Call it once, after the last piece. */
  end(reason: FinishReason): ReadEnd;
}
