/** @file Pure decisions of the step loop: which slot a request gets, and what one step reads. */

/** What the plan knows of a slot. */
export interface SlotState {
  /** Tokens of its request that the model has not read; 0 for an idle slot. */
  readonly unread: number;
  /** When its request came to the slot; the smaller the earlier. */
  readonly arrival: number;
  /** An idle slot may get a row that is thrown away. */
  readonly canPad: boolean;
}

/** Rows of one slot in a step. */
export interface PlannedRows {
  readonly slot: number;
  readonly count: number;
  /** The row is thrown away. */
  readonly isPadding: boolean;
}

/**
 * llama.cpp runs those sequences together whose numbers follow each other; a gap costs another pass over all weights. A row
 * that is thrown away in the gap costs less, up to so many: answers in slots 0 and 2 took 82 ms a step, 65 with a row
 * between; 0 and 3 86 and 72; 0 and 4 88 and 81, and the other way round in the next run; 0, 2, 4 and 6 173 and 108
 * (162 M parameters as Q8_0, 1 thread of a busy machine, 2026-11).
 */
const mostPadding = 2;

/**
 * What one step reads: a token of every slot that writes, and of prompts at most `chunk` tokens together, the earliest
 * first, in the order of the slots.
 */
export function planBatch(slots: readonly SlotState[], chunk: number): PlannedRows[] {
  const counts = slots.map(({ unread }) => Math.min(unread, 1));
  let left = chunk;
  const prompts = [...slots.keys()]
    .filter((slot) => unreadOf(slots, slot) > 1)
    .sort((a, b) => (slots[a]?.arrival ?? 0) - (slots[b]?.arrival ?? 0));
  for (const slot of prompts) {
    counts[slot] = Math.min(left, unreadOf(slots, slot));
    left -= counts[slot];
  }
  const live = counts.flatMap((count, slot) => (count > 0 ? [slot] : []));
  return live.flatMap((slot, i) => {
    const rows = { slot, count: counts[slot] ?? 0, isPadding: false };
    const gap = gapBefore(live, i);
    const pads = gap.length <= mostPadding && gap.every((idle) => slots[idle]?.canPad === true) ? gap : [];
    return [...pads.map((idle) => ({ slot: idle, count: 1, isPadding: true })), rows];
  });
}

const unreadOf = (slots: readonly SlotState[], slot: number): number => slots[slot]?.unread ?? 0;

function gapBefore(live: readonly number[], i: number): number[] {
  const from = live[i - 1];
  const to = live[i];
  if (from === undefined || to === undefined) return [];
  return Array.from({ length: to - from - 1 }, (_, offset) => from + 1 + offset);
}

/** Length of the common beginning. */
export function commonPrefix(a: Uint32Array, b: Uint32Array): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}

/**
 * The free slot that has read the longest beginning of a prompt, the lowest of equals: low slots leave few gaps.
 * @param held what each slot has read; undefined for a slot that is busy.
 */
export function chooseSlot(held: readonly (Uint32Array | undefined)[], prompt: Uint32Array): number | undefined {
  let best: number | undefined;
  let longest = -1;
  for (const [slot, tokens] of held.entries()) {
    const length = tokens === undefined ? -1 : commonPrefix(tokens, prompt);
    if (length > longest) [best, longest] = [slot, length];
  }
  return best;
}
