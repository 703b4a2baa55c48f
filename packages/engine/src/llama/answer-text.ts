/** @file From tokens to text: whole characters only, up to a stop string, holding back what may still become one. */
import type { WrittenToken } from "../language/answer.ts";
import type { TokenText } from "./token-texts.ts";

/** A further piece of an answer. */
export interface TextPiece {
  readonly text: string;
  readonly tokens: readonly WrittenToken[];
}

/** The text of one answer. */
export class AnswerText {
  readonly #stop: readonly string[];
  readonly #showsControl: boolean;
  // A byte order mark that a model writes is text like any other.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #held = "";
  /** Characters handed out so far. */
  #handedOut = 0;
  /** Tokens that were told, with the place of their first character. */
  readonly #tokens: { readonly start: number; readonly token: WrittenToken }[] = [];
  #isStopped = false;

  /** @param stop not empty texts. @param showsControl whether tokens that steer the model are written out, each as a piece of its own. */
  constructor(stop: readonly string[], showsControl: boolean) {
    this.#stop = stop;
    this.#showsControl = showsControl;
  }

  /** Whether a stop string was written. Nothing comes after. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Takes the next token, and answers what may be shown by now. */
  push({ bytes, isControl }: TokenText, written?: WrittenToken): TextPiece[] {
    if (isControl && !this.#showsControl) return [];
    if (written !== undefined) this.#tokens.push({ start: this.#handedOut + this.#held.length, token: written });
    if (!isControl) {
      this.#held += this.#decoder.decode(bytes, { stream: true });
      return this.#release();
    }
    const before = this.#held + this.#decoder.decode();
    this.#held = before + new TextDecoder().decode(bytes);
    if (before === "" || this.#stopAt() !== undefined) return this.#release();
    return [...this.#handOut(before.length), ...this.#release()];
  }

  /** What was held back, when the answer ends without a stop string. */
  end(): TextPiece[] {
    if (this.#isStopped) return [];
    this.#held += this.#decoder.decode();
    const pieces = this.#release();
    return this.#isStopped ? pieces : [...pieces, ...this.#handOut(this.#held.length, true)];
  }

  #release(): TextPiece[] {
    const at = this.#stopAt();
    if (at === undefined) return this.#handOut(this.#held.length - this.#heldBack());
    this.#isStopped = true;
    return this.#handOut(at);
  }

  #handOut(length: number, all = false): TextPiece[] {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    this.#handedOut += length;
    const first = this.#tokens.findIndex(({ start }) => !all && start >= this.#handedOut);
    const tokens = this.#tokens.splice(0, first < 0 ? this.#tokens.length : first).map(({ token }) => token);
    return text === "" && tokens.length === 0 ? [] : [{ text, tokens }];
  }

  /** Where the first stop string begins. */
  #stopAt(): number | undefined {
    let first: number | undefined;
    for (const stop of this.#stop) {
      const at = this.#held.indexOf(stop);
      if (at >= 0 && (first === undefined || at < first)) first = at;
    }
    return first;
  }

  /** Characters at the end that may be the beginning of a stop string. */
  #heldBack(): number {
    let most = 0;
    for (const stop of this.#stop)
      for (let length = Math.min(stop.length - 1, this.#held.length); length > most; length--)
        if (stop.startsWith(this.#held.slice(-length))) most = length;
    return most;
  }
}
