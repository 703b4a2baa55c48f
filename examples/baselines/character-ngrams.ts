/**
 * @file Character models by counting: interpolated modified Kneser-Ney smoothing. The longest contexts use how often they were
 * seen; shorter ones how many different characters stood before them. Source: Chen and Goodman 1999, "An empirical study of
 * smoothing techniques for language modeling", equations 26 and 27.
 */

/** What is known of a context. */
interface Context {
  /** Sum of the counts of what followed. */
  total: number;
  /** How many different characters followed once, twice, more often. */
  readonly types: [once: number, twice: number, often: number];
}

/** Counts of one length. Keys are sequences of characters written as a number in base `size`. */
interface Level {
  readonly counts: Map<number, number>;
  readonly contexts: Map<number, Context>;
  readonly discounts: readonly [once: number, twice: number, often: number];
}

/** The probability of every next character, from the characters before it. */
export class CharacterNgrams {
  readonly order: number;
  readonly #size: number;
  readonly #levels: readonly Level[];

  /**
   * @param text characters as numbers below `size`.
   * @param order length of the counted sequences: 3 looks at two characters to say the third.
   * @throws Error when sequences of this length cannot be told apart as numbers.
   */
  constructor(text: ArrayLike<number>, order: number, size: number) {
    if (!Number.isSafeInteger(order) || order < 1 || size ** order > Number.MAX_SAFE_INTEGER)
      throw new Error(`order: expected a whole number from 1 with ${size} ** order below 2 ** 53, received ${order}`);
    this.order = order;
    this.#size = size;
    this.#levels = countLevels(text, order, size);
  }

  /** Of `next` after `text[..end]`, of which the last `order - 1` characters count. */
  probability(text: ArrayLike<number>, end: number, next: number): number {
    let probability = 1 / this.#size;
    let [context, place] = [0, 1];
    for (const [length, { counts, contexts, discounts }] of this.#levels.entries()) {
      if (length > end) break;
      if (length > 0) {
        context += (text[end - length] ?? 0) * place;
        place *= this.#size;
      }
      const known = contexts.get(context);
      if (known === undefined) break; // longer contexts were not seen either
      const count = counts.get(context * this.#size + next) ?? 0;
      const [once, twice, often] = known.types;
      const spared = discounts[0] * once + discounts[1] * twice + discounts[2] * often;
      const kept = count === 0 ? 0 : count - (discounts[Math.min(count, 3) - 1] ?? 0);
      probability = (kept + spared * probability) / known.total;
    }
    return probability;
  }

  /** Mean of -log2 of the probability of each character of a text. NaN without characters. */
  bitsPerCharacter(text: ArrayLike<number>): number {
    let bits = 0;
    for (let i = 0; i < text.length; i++) bits -= Math.log2(this.probability(text, i, text[i] ?? 0));
    return bits / text.length;
  }
}

function countLevels(text: ArrayLike<number>, order: number, size: number): Level[] {
  const longest = new Map<number, number>();
  let key = 0;
  const modulus = size ** order;
  for (let i = 0; i < text.length; i++) {
    key = (key * size + (text[i] ?? 0)) % modulus;
    if (i + 1 >= order) longest.set(key, (longest.get(key) ?? 0) + 1);
  }
  const levels = [levelOf(longest, size)];
  for (let length = order - 1, counted = longest; length >= 1; length--) {
    // a shorter sequence counts once for each different character that stood before it
    const continuations = new Map<number, number>();
    const shorter = size ** length;
    for (const sequence of counted.keys()) {
      const rest = sequence % shorter;
      continuations.set(rest, (continuations.get(rest) ?? 0) + 1);
    }
    levels.unshift(levelOf(continuations, size));
    counted = continuations;
  }
  return levels;
}

function levelOf(counts: Map<number, number>, size: number): Level {
  const contexts = new Map<number, Context>();
  const howMany: [number, number, number, number] = [0, 0, 0, 0]; // sequences counted once to four times
  for (const [sequence, count] of counts) {
    const key = Math.floor(sequence / size);
    const context = contexts.get(key) ?? { total: 0, types: [0, 0, 0] };
    if (context.total === 0) contexts.set(key, context);
    context.total += count;
    context.types[count === 1 ? 0 : count === 2 ? 1 : 2] += 1;
    const at = count - 1;
    if (at === 0 || at === 1 || at === 2 || at === 3) howMany[at] += 1;
  }
  return { counts, contexts, discounts: discountsOf(howMany) };
}

/** With few sequences the estimate has no ground (a division by 0) or leaves (0, count): then half of a count is set aside. */
function discountsOf([n1, n2, n3, n4]: readonly [number, number, number, number]): [number, number, number] {
  const share = n1 / (n1 + 2 * n2);
  const estimate = (count: number, now: number, next: number): number => {
    const discount = count - (count + 1) * share * (next / now);
    return discount > 0 && discount < count ? discount : 0.5;
  };
  return [estimate(1, n1, n2), estimate(2, n2, n3), estimate(3, n3, n4)];
}
