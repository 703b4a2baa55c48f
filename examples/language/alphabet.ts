/** The characters of a text, numbered. */
export class Alphabet {
  readonly characters: readonly string[];
  readonly #places: ReadonlyMap<string, number>;

  /** All characters of a text, in the order of their codes; at most 256, so that a text is bytes. */
  constructor(text: string) {
    this.characters = [...new Set(text)].sort();
    if (this.characters.length === 0 || this.characters.length > 256)
      throw new Error(`text: expected 1 to 256 different characters, received ${this.characters.length}`);
    this.#places = new Map(this.characters.map((character, i) => [character, i]));
  }

  get size(): number {
    return this.characters.length;
  }

  /** A text as numbers. A character that the alphabet lacks is the first one. */
  encode(text: string): Uint8Array {
    return Uint8Array.from(text, (character) => this.#places.get(character) ?? 0);
  }

  decode(numbers: Iterable<number>): string {
    return Array.from(numbers, (number) => this.characters[number] ?? "").join("");
  }
}
