/** @file Words, endings and spellings as numbers, so that a network can read a sentence; tags as classes. */
import type { TaggedSentence } from "../data/brown.ts";

/** A sentence as numbers, one of each kind for every word. 0 stands for "no word here" and is left to padding. */
export interface EncodedSentence {
  readonly words: readonly number[];
  readonly endings: readonly number[];
  readonly spellings: readonly number[];
  /** Classes; empty when the tags are not known. */
  readonly tags: readonly number[];
}

const unknown = 1; // a word or ending too rare to be known
const endingLetters = 3;

/** What a word looks like. The first that fits counts; so spellings are numbered from 1. */
const spellings: readonly RegExp[] = [/\d/, /^[A-Z][a-z]/, /^[A-Z]+$/, /-/, /['.]/, /^[a-z]+$/, /^[^a-zA-Z]+$/, /(?:)/];

/** What training sentences hold. */
export class TaggingVocabulary {
  /** The classes, in order. */
  readonly tags: readonly string[];
  readonly #words: ReadonlyMap<string, number>;
  readonly #endings: ReadonlyMap<string, number>;
  readonly #classes: ReadonlyMap<string, number>;

  /** Words and endings seen fewer than `least` times count as unknown: so the network learns what unknown ones are like. */
  constructor(sentences: readonly TaggedSentence[], least: number) {
    const words = sentences.flatMap((sentence) => sentence.words);
    this.#words = numbered(words.map(plainWord), least);
    this.#endings = numbered(words.map(endingOf), least);
    this.tags = [...new Set(sentences.flatMap((sentence) => sentence.tags))].sort();
    this.#classes = new Map(this.tags.map((tag, i) => [tag, i]));
  }

  /** How many numbers each kind has, 0 and 1 included. */
  get sizes(): { readonly words: number; readonly endings: number; readonly spellings: number } {
    return { words: this.#words.size + 2, endings: this.#endings.size + 2, spellings: spellings.length + 1 };
  }

  /** A tag never seen in training is class -1: no answer is right. */
  encode({ words, tags }: TaggedSentence): EncodedSentence {
    return {
      words: words.map((word) => this.#words.get(plainWord(word)) ?? unknown),
      endings: words.map((word) => this.#endings.get(endingOf(word)) ?? unknown),
      spellings: words.map((word) => spellings.findIndex((spelling) => spelling.test(word)) + 1),
      tags: tags.map((tag) => this.#classes.get(tag) ?? -1),
    };
  }
}

/** Capitals are told by the spelling, so that "The" and "the" are one word. */
const plainWord = (word: string): string => word.toLowerCase().replaceAll(/\d/g, "0");

const endingOf = (word: string): string => plainWord(word).slice(-endingLetters);

function numbered(items: readonly string[], least: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  const known = [...counts].filter(([, count]) => count >= least).map(([item]) => item);
  return new Map(known.map((item, i) => [item, i + 2]));
}
