/** @file What tokens stand for, byte by byte: llama.cpp's own text of a token loses the parts of characters. */
import type { NativeModel } from "./native.ts";

/** llama.cpp's kinds of vocabularies (`llama_vocab_type` in llama.h). */
const pieceVocabularies = [1, 3, 4];
const pairVocabulary = 2;
/** Its marks of a token (`llama_token_attr`). */
const marks = { unknown: 1, control: 8, userDefined: 16, byte: 32 };

/** The byte of each letter in byte-level vocabularies: printable ones stand for themselves, the other 68 for U+0100 and on. */
const byteOfLetter: ReadonlyMap<string, number> = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let others = 0;
  return new Map(
    Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(isPrintable(byte) ? byte : 0x100 + others++), byte]),
  );
})();

/** What one token stands for. */
export interface TokenText {
  readonly bytes: Uint8Array;
  /** It steers the model, and is no part of a text. */
  readonly isControl: boolean;
  /** The model says by it that it has ended. */
  readonly isEnd: boolean;
}

/** Texts of a model's tokens, looked up once each. */
export class TokenTexts {
  readonly size: number;
  readonly #model: NativeModel;
  readonly #kind: number;
  readonly #known: (TokenText | undefined)[] = [];
  readonly #encoder = new TextEncoder();

  constructor(model: NativeModel, size: number) {
    this.#model = model;
    this.#kind = model.getVocabularyType();
    this.size = size;
  }

  /** What a token stands for. @param token of the vocabulary. */
  of(token: number): TokenText {
    const known = this.#known[token];
    if (known !== undefined) return known;
    const attributes = this.#model.getTokenAttributes(token);
    const text: TokenText = {
      bytes: this.#bytes(this.#model.getTokenString(token), attributes),
      isControl: (attributes & (marks.control | marks.unknown)) !== 0,
      isEnd: this.#model.isEogToken(token),
    };
    this.#known[token] = text;
    return text;
  }

  #bytes(text: string, attributes: number): Uint8Array {
    if ((attributes & marks.byte) !== 0) {
      const byte = /^<0x([0-9A-F]{2})>$/.exec(text)?.[1];
      if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
    }
    const isVerbatim = (attributes & (marks.control | marks.unknown | marks.userDefined)) !== 0;
    if (isVerbatim) return this.#encoder.encode(text);
    if (this.#kind === pairVocabulary) {
      const bytes = Array.from(text, (letter) => byteOfLetter.get(letter));
      if (bytes.every((byte) => byte !== undefined)) return Uint8Array.from(bytes);
    }
    return this.#encoder.encode(pieceVocabularies.includes(this.#kind) ? text.replaceAll("\u2581", " ") : text);
  }
}
