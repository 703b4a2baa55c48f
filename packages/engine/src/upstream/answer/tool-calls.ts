import { randomUUID } from "node:crypto";
import { asArray, asCount, asObject, asText } from "../json.ts";

/** A call that begins, a piece of its arguments, or both. */
export interface ToolCallPiece {
  readonly index: number;
  /** Where it begins. */
  readonly begins?: { readonly id: string; readonly name: string };
  readonly text: string;
}

interface BegunCall {
  readonly theirIndex: number | undefined;
  readonly theirId: string | undefined;
  hasArguments: boolean;
}

/**
 * Puts the pieces of calls in order. Servers differ in what they number: some give every call the index 0 or none (Ollama, Vertex
 * AI), some repeat the id or the name with each piece, some send no id, or a new one each time. So a piece without a name goes
 * on with a call; one with a name begins one, unless its id, or arguments that have not begun, say that it is the same.
 */
export class ToolCallReader {
  readonly #calls: BegunCall[] = [];

  /** Calls that have begun. */
  get count(): number {
    return this.#calls.length;
  }

  /** Reads `delta.tool_calls`. @throws RangeError for a piece of a call that never began. */
  read(value: unknown): readonly ToolCallPiece[] {
    return (asArray(value) ?? []).map((piece) => this.#piece(piece));
  }

  #piece(value: unknown): ToolCallPiece {
    const piece = asObject(value) ?? {};
    const called = asObject(piece["function"]) ?? {};
    const theirs = asCount(piece["index"]);
    const id = asText(piece["id"]);
    const name = asText(called["name"]);
    const text = argumentsOf(called["arguments"]);
    const index = this.#calls.findLastIndex((call) => theirs === undefined || call.theirIndex === theirs);
    const call = this.#calls[index];
    if (call !== undefined && (name === undefined || isSame(call, id))) {
      if (text !== "") call.hasArguments = true;
      return { index, text };
    }
    if (name === undefined) throw new RangeError("a call of a tool with its name first, received another part of one");
    this.#calls.push({ theirIndex: theirs, theirId: id, hasArguments: text !== "" });
    return {
      index: this.#calls.length - 1,
      begins: { id: id ?? `call_${randomUUID().replaceAll("-", "")}`, name },
      text,
    };
  }
}

const isSame = (call: BegunCall, id: string | undefined): boolean =>
  id === undefined || call.theirId === undefined ? !call.hasArguments : id === call.theirId;

/** JSON in a text; some servers send the object itself. */
const argumentsOf = (value: unknown): string =>
  typeof value === "string" ? value : asObject(value) === undefined ? "" : JSON.stringify(value);
