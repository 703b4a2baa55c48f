import { NnError } from "../../errors.ts";
import type { IndexedEdge } from "./description.ts";

/**
 * The row of each box, from 0 at the top: one more than the lowest of those that lead to it (longest path), so that every
 * arrow goes down. A box that nothing leads to stands right above the first that it leads to.
 * @throws NnError when arrows go round in a circle.
 */
export function ranksOf(count: number, edges: readonly IndexedEdge[]): number[] {
  const into = Array.from({ length: count }, () => 0);
  const next: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of edges) {
    into[to] = (into[to] ?? 0) + 1;
    next[from]?.push(to);
  }
  const waiting = [...into];
  const ranks = Array.from({ length: count }, () => 0);
  const ready = waiting.flatMap((left, i) => (left === 0 ? [i] : []));
  for (let at = 0; at < ready.length; at++) {
    const node = ready[at] ?? 0;
    for (const to of next[node] ?? []) {
      ranks[to] = Math.max(ranks[to] ?? 0, (ranks[node] ?? 0) + 1);
      waiting[to] = (waiting[to] ?? 0) - 1;
      if (waiting[to] === 0) ready.push(to);
    }
  }
  if (ready.length < count) throw new NnError("graphPicture: expected arrows that go one way, received a circle");
  for (let i = 0; i < count; i++) {
    const targets = (next[i] ?? []).map((to) => ranks[to] ?? 0);
    if (into[i] === 0 && targets.length > 0) ranks[i] = Math.min(...targets) - 1;
  }
  return ranks;
}
