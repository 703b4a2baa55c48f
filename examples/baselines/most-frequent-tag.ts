/** @file The baseline of part-of-speech tagging: every word gets the tag that it had most often in the training texts. */
import type { TaggedSentence } from "../data/brown.ts";

/** Says a tag for a word. */
export type Tagger = (word: string) => string;

/**
 * Learns by counting. A word never seen is looked up in lower case; one not seen so either gets the tag that is most
 * frequent among words that were seen once, which are the nearest thing to unseen ones. Of equal counts the first seen wins.
 */
export function mostFrequentTagger(sentences: Iterable<TaggedSentence>): Tagger {
  const tagsOf = new Map<string, Map<string, number>>();
  for (const { words, tags } of sentences)
    for (const [i, word] of words.entries()) {
      const counts = tagsOf.get(word) ?? new Map<string, number>();
      if (counts.size === 0) tagsOf.set(word, counts);
      count(counts, tags[i] ?? "");
    }
  const ofRareWords = new Map<string, number>();
  const best = new Map<string, string>();
  for (const [word, counts] of tagsOf) {
    const [tag, times] = mostFrequent(counts);
    best.set(word, tag);
    if (counts.size === 1 && times === 1) count(ofRareWords, tag);
  }
  const [unknown] = mostFrequent(ofRareWords);
  return (word) => best.get(word) ?? best.get(word.toLowerCase()) ?? unknown;
}

/** The share of words whose tag a tagger says. NaN without words. */
export function taggingAccuracy(tagger: Tagger, sentences: Iterable<TaggedSentence>): number {
  let [right, all] = [0, 0];
  for (const { words, tags } of sentences)
    for (const [i, word] of words.entries()) {
      all += 1;
      if (tagger(word) === tags[i]) right += 1;
    }
  return right / all;
}

const count = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

const mostFrequent = (counts: ReadonlyMap<string, number>): readonly [key: string, times: number] => {
  let best: readonly [string, number] = ["", 0];
  for (const entry of counts) if (entry[1] > best[1]) best = entry;
  return best;
};
