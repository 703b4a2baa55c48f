/** @file Which tokens are behind which part of an answer's text. */
import type { WrittenToken } from "../language/answer.ts";

/** Keeps tokens until their text is told. A piece's tokens go with its first character. */
export class PieceTokens {
  readonly #waiting: { start: number; tokens: readonly WrittenToken[] }[] = [];
  #added = 0;
  #taken = 0;

  /** A further piece of this many characters. */
  add(length: number, tokens: readonly WrittenToken[] | undefined): void {
    if (tokens !== undefined && tokens.length > 0) this.#waiting.push({ start: this.#added, tokens });
    this.#added += length;
  }

  /** The tokens of the next characters. */
  take(length: number): readonly WrittenToken[] {
    this.#taken += length;
    const tokens: WrittenToken[] = [];
    for (let first = this.#waiting[0]; first !== undefined && first.start < this.#taken; first = this.#waiting[0]) {
      tokens.push(...first.tokens);
      this.#waiting.shift();
    }
    return tokens;
  }
}
