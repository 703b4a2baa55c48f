/** @file Which part of a span can be read from the sums by the hour, and which from single events. Pure. */

/** `from` inclusive, `to` exclusive. */
export interface Span {
  readonly from: Date;
  readonly to: Date;
}

const hourMs = 3_600_000;

/**
 * Cuts a span at whole hours of UTC.
 * @returns `whole`: the hours that lie in it entirely, null: none; `edges`: what is left before and after them.
 */
export function cutAtHours({ from, to }: Span): { readonly whole: Span | null; readonly edges: readonly Span[] } {
  const first = new Date(Math.ceil(from.getTime() / hourMs) * hourMs);
  const last = new Date(Math.floor(to.getTime() / hourMs) * hourMs);
  if (first >= last) return { whole: null, edges: [{ from, to }] };
  const edges = [
    { from, to: first },
    { from: last, to },
  ];
  return { whole: { from: first, to: last }, edges: edges.filter((edge) => edge.from < edge.to) };
}
