/** @file The baseline of text classification: logistic regression on which words occur, whatever their order. */
import { adam, dense, Sequential } from "@gristmill/nn";

/** A text as its words, and whether it belongs to the class. */
export interface MarkedWords {
  readonly words: readonly string[];
  readonly isPositive: boolean;
}

/** How to train. */
export interface BagOptions {
  /** Most frequent words that count. */
  readonly words: number;
  readonly epochs: number;
  readonly seed: number;
  readonly threads?: number;
}

/** Words by the number of texts they occur in, most frequent first; of equal ones the first in the alphabet. */
export function frequentWords(texts: Iterable<readonly string[]>, most: number): string[] {
  const counts = new Map<string, number>();
  for (const words of texts) for (const word of new Set(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return sorted.slice(0, most).map(([word]) => word);
}

/** A probability for each text of `test`, by logistic regression on `train`. */
export async function bagOfWords(
  train: readonly MarkedWords[],
  test: readonly MarkedWords[],
  { words, epochs, seed, threads }: BagOptions,
): Promise<Float32Array> {
  const places = new Map(
    frequentWords(
      train.map((text) => text.words),
      words,
    ).map((word, i) => [word, i]),
  );
  const asBytes = (texts: readonly MarkedWords[]) => {
    const data = new Uint8Array(texts.length * places.size);
    for (const [row, text] of texts.entries())
      for (const word of text.words) {
        const column = places.get(word);
        if (column !== undefined) data[row * places.size + column] = 1;
      }
    return { shape: [texts.length, places.size], data };
  };
  const model = new Sequential([dense(1, { activation: "sigmoid", inputShape: [places.size] })], { seed });
  model.compile({ optimizer: adam({ learningRate: 0.003 }), loss: "binaryCrossentropy" });
  const answers = { shape: [train.length, 1], data: Float32Array.from(train, (text) => Number(text.isPositive)) };
  const some = threads === undefined ? {} : { threads };
  await model.fit(asBytes(train), answers, { epochs, ...some });
  const { data } = await model.predict(asBytes(test), some);
  await model.close();
  return data;
}
