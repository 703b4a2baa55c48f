/** @file Which of several upstreams takes a call: pure. */

/** One that could. */
export interface Candidate {
  /** Lower ones first. */
  readonly priority: number;
  /** Its share among those of its priority, from 0. */
  readonly weight: number;
  /** False: it is down, or has failed this very call. */
  readonly isAvailable: boolean;
}

/**
 * Among those available of the lowest priority number, one by weight. Those of weight 0 take calls only when no other of their
 * priority is left.
 * @param random from 0 to below 1.
 * @returns its place; undefined when none is available.
 */
export function chooseUpstream(candidates: readonly Candidate[], random: number): number | undefined {
  const available = [...candidates.entries()].filter(([, { isAvailable }]) => isAvailable);
  const first = Math.min(...available.map(([, { priority }]) => priority));
  const peers = available.filter(([, { priority }]) => priority === first);
  const sum = peers.reduce((total, [, { weight }]) => total + weight, 0);
  let left = random * sum;
  for (const [place, { weight }] of peers) {
    left -= weight;
    if (weight > 0 && left < 0) return place;
  }
  // Sums of fractions may miss the last by a rounding.
  return (peers.findLast(([, { weight }]) => weight > 0) ?? peers[0])?.[0];
}
