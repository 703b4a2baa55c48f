/** @file How the ledger's benchmark counts and prints. */

/** What one way of writing came to. */
export interface Figure {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Calls from so many callers, each one after the other, for a time. A call may tell what of it counts as its latency. */
export async function repeat(
  call: () => Promise<unknown>,
  callerCount: number,
  forMs: number,
  eventsPerCall: number,
): Promise<Figure> {
  const latencies: number[] = [];
  const start = performance.now();
  const caller = async (): Promise<void> => {
    while (performance.now() - start < forMs) {
      const before = performance.now();
      const own = await call();
      latencies.push(typeof own === "number" ? own : performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: callerCount }, caller));
  const busyMs = callerCount === 1 ? latencies.reduce((sum, each) => sum + each, 0) : performance.now() - start;
  return figureOf(latencies, eventsPerCall, busyMs);
}

/** @param latencies of calls, in ms. */
export function figureOf(latencies: readonly number[], eventsPerCall: number, busyMs: number): Figure {
  const inOrder = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => inOrder[Math.floor(inOrder.length * share)] ?? Number.NaN;
  return { perSecond: (latencies.length * eventsPerCall * 1000) / busyMs, p50: at(0.5), p99: at(0.99) };
}

/** The middle one by speed. */
export const middle = (figures: readonly Figure[]): Figure => {
  const inOrder = figures.toSorted((a, b) => a.perSecond - b.perSecond);
  return inOrder[Math.floor(inOrder.length / 2)] ?? { perSecond: Number.NaN, p50: Number.NaN, p99: Number.NaN };
};

/** One line each. */
export function printFigures(figures: Readonly<Record<string, Figure>>): void {
  console.log(`${"".padEnd(44)}  events/s   p50 ms   p99 ms`);
  for (const [name, { perSecond, p50, p99 }] of Object.entries(figures))
    console.log(
      `${name.padEnd(44)} ${perSecond.toFixed(0).padStart(9)} ${p50.toFixed(2).padStart(8)} ${p99.toFixed(2).padStart(8)}`,
    );
}
