/** @file Sentences of like length together, filled up to one of a few lengths: little is computed for padding. */
import type { Tensor } from "@gristmill/onnx";
import { Random } from "../random.ts";
import type { EncodedSentence } from "./vocabulary.ts";

/** Steps of the batches. Longer sentences are cut into pieces of the last. */
export const lengths = [12, 24, 40, 64];

/** Neighbouring batches of one length run together in one program: so many. */
const together = 8;
/** Share of words that training takes for unknown ones, so that their endings and neighbours must do. */
const hiddenShare = 0.05;
const unknown = 1;

/** Numbers of sentences, by the names of the network's inputs. */
export type SentenceInputs = Readonly<Record<"words" | "endings" | "spellings", Tensor<"int32">>>;

/** Sentences of one length, as many as there are; 0 stands where a sentence has ended. */
export interface SentenceBatch {
  readonly x: SentenceInputs;
  /** int32 [count, steps]; 0 where a sentence has ended, where no answer counts. */
  readonly y: Tensor<"int32">;
  readonly sentences: readonly EncodedSentence[];
}

/** Cuts what is longer than the longest length. No word is lost. */
export function cutSentences(sentences: readonly EncodedSentence[]): EncodedSentence[] {
  const most = lengths.at(-1) ?? 1;
  return sentences.flatMap((sentence) =>
    Array.from({ length: Math.ceil(sentence.words.length / most) }, (_, i) => {
      const piece = (list: readonly number[]): readonly number[] => list.slice(i * most, (i + 1) * most);
      return {
        words: piece(sentence.words),
        endings: piece(sentence.endings),
        spellings: piece(sentence.spellings),
        tags: piece(sentence.tags),
      };
    }),
  );
}

/** The sentences of each length, which fit it and not the one before. */
export function byLength(sentences: readonly EncodedSentence[]): { steps: number; sentences: EncodedSentence[] }[] {
  const groups = lengths.map((steps) => ({ steps, sentences: [] as EncodedSentence[] }));
  for (const sentence of cutSentences(sentences))
    groups.find(({ steps }) => sentence.words.length <= steps)?.sentences.push(sentence);
  return groups.filter((group) => group.sentences.length > 0);
}

/** Some sentences as arrays. `hide`: whether the word at a place is taken for an unknown one. */
export function sentenceBatch(
  sentences: readonly EncodedSentence[],
  steps: number,
  hide: () => boolean = () => false,
): SentenceBatch {
  const fill = (list: (sentence: EncodedSentence) => readonly number[]): Tensor<"int32"> => {
    const data = new Int32Array(sentences.length * steps);
    for (const [row, sentence] of sentences.entries()) data.set(list(sentence), row * steps);
    return { dtype: "int32", shape: [sentences.length, steps], data };
  };
  const words = fill((sentence) => sentence.words.map((word) => (hide() ? unknown : word)));
  const x = { words, endings: fill(({ endings }) => endings), spellings: fill(({ spellings }) => spellings) };
  return { x, y: fill(({ tags }) => tags), sentences };
}

/** A stream for `fit`: every sentence once an epoch, in another order and with other words hidden. */
export function sentenceStream(sentences: readonly EncodedSentence[], batchSize: number, seed: number) {
  const groups = byLength(sentences);
  const runs = groups.flatMap(({ steps, sentences: some }, group) =>
    Array.from({ length: Math.ceil(some.length / (batchSize * together)) }, (_, i) => ({ steps, group, i })),
  );
  const count = groups.reduce((sum, group) => sum + Math.ceil(group.sentences.length / batchSize), 0);
  async function* batches(epoch: number): AsyncGenerator<SentenceBatch> {
    const random = new Random(seed, epoch);
    const orders = groups.map((group) => random.order(group.sentences.length));
    for (const place of random.order(runs.length)) {
      const { steps, group, i } = runs[place] ?? { steps: 0, group: 0, i: 0 };
      const start = i * batchSize * together;
      const chosen = [...(orders[group] ?? [])].slice(start, start + batchSize * together);
      const some = chosen.flatMap((index) => groups[group]?.sentences[index] ?? []);
      for (let at = 0; at < some.length; at += batchSize)
        yield sentenceBatch(some.slice(at, at + batchSize), steps, () => random.next() < hiddenShare);
    }
  }
  return { batches, steps: count };
}
