import fc from "fast-check";
import { expect, test } from "vitest";
import { cutAtHours } from "./whole-hours.ts";

const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);

test("[MET30] a span's whole hours and edges are the span, without gap or overlap, and every whole part begins and ends with an hour", () => {
  fc.assert(
    fc.property(fc.nat(50 * hour), fc.integer({ min: 1, max: 30 * hour }), (offset, length) => {
      const from = new Date(start + offset);
      const to = new Date(start + offset + length);
      const { whole, edges } = cutAtHours({ from, to });
      const parts = [...edges, ...(whole === null ? [] : [whole])].toSorted(
        (a, b) => a.from.getTime() - b.from.getTime(),
      );
      expect(parts[0]?.from).toEqual(from);
      expect(parts.at(-1)?.to).toEqual(to);
      for (const [index, part] of parts.entries()) {
        expect(part.from < part.to).toBe(true);
        if (index > 0) expect(part.from).toEqual(parts[index - 1]?.to);
      }
      for (const edge of edges) expect(edge.to.getTime() - edge.from.getTime() < 2 * hour).toBe(true);
      if (whole !== null) expect([whole.from.getTime() % hour, whole.to.getTime() % hour]).toEqual([0, 0]);
    }),
  );
});
