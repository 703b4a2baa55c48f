import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText, textsOf } from "../testing/well-formed.ts";
import { columnsOf } from "./columns.ts";
import type { IndexedEdge } from "./description.ts";
import { graphPicture } from "./graph-picture.ts";
import { ranksOf } from "./rank.ts";
import { crossings, type Item, makeRows } from "./rows.ts";

const graph = (...edges: (readonly [from: string, to: string])[]) => ({
  nodes: [...new Set(edges.flat())].map((id) => ({ id, title: id, subtitle: "dense" })),
  edges: edges.map(([from, to]) => ({ from, to })),
});
interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
const boxesOf = (svg: string): Rectangle[] =>
  [...svg.matchAll(/<rect class="box" x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)].map(
    (match) => {
      const [left = 0, top = 0, width = 0, height = 0] = match.slice(1).map(Number);
      return { left, top, right: left + width, bottom: top + height };
    },
  );
const arrowsOf = (svg: string): string[] => [...svg.matchAll(/<path class="edge" d="([^"]*)"/g)].map(([, d = ""]) => d);

/** Any network of up to 14 boxes: arrows go from lower numbers to higher ones. */
const anyEdges = fc.array(fc.tuple(fc.nat(13), fc.nat(13)), { maxLength: 30 }).map((pairs) => {
  const edges = pairs.filter(([a, b]) => a !== b).map(([a, b]): IndexedEdge => [Math.min(a, b), Math.max(a, b)]);
  return [...new Map(edges.map((edge) => [edge.join(), edge])).values()];
});

describe("graphPicture", () => {
  it("draws a chain straight down, at one width", () => {
    const svg = graphPicture(graph(["a", "b"], ["b", "c"], ["c", "d"]), { title: "Chain" });
    const boxes = boxesOf(svg);
    expect(new Set(boxes.map(({ left, right }) => `${left} ${right}`)).size).toBe(1);
    expect(arrowsOf(svg).every((path) => /^M[\d.]+ [\d.]+V[\d.]+$/.test(path))).toBe(true);
    expect(textsOf(svg).slice(0, 3)).toEqual(["Chain", "a", "dense"]);
  });

  it("leads skip connections beside the boxes, which stay in one column", () => {
    const svg = graphPicture(
      graph(["x", "a"], ["a", "b"], ["b", "add"], ["x", "add"], ["add", "c"], ["c", "add2"], ["add", "add2"]),
    );
    const boxes = boxesOf(svg);
    expect(new Set(boxes.map(({ left }) => Math.round(left))).size).toBe(1);
    const right = boxes[0]?.right ?? 0;
    const skips = arrowsOf(svg).filter((path) => path.includes("q"));
    expect(skips.length).toBe(2);
    for (const path of skips) {
      const [, lane = ""] = /H([\d.]+)q/.exec(path) ?? [];
      expect(Number(lane)).toBeGreaterThan(right);
    }
  });

  it("puts an input that is needed late right above where it is needed", () => {
    expect(
      ranksOf(5, [
        [0, 1],
        [1, 2],
        [2, 3],
        [4, 3],
      ]),
    ).toEqual([0, 1, 2, 3, 2]);
  });

  it("crosses no arrows that need not cross", () => {
    // a to y, b to x: x and y change places
    const edges: IndexedEdge[] = [
      [0, 3],
      [1, 2],
      [2, 4],
      [3, 4],
    ];
    const { rows } = makeRows(ranksOf(5, edges), edges);
    expect(crossings(rows)).toBe(0);
  });

  it("takes nothing, one box, boxes without arrows, the same arrow twice, and any text", () => {
    textsOf(graphPicture({ nodes: [], edges: [] }));
    expect(
      boxesOf(
        graphPicture({
          nodes: [
            { id: "a", title: "a" },
            { id: "b", title: "b" },
          ],
          edges: [],
        }),
      ).length,
    ).toBe(2);
    expect(arrowsOf(graphPicture(graph(["a", "b"], ["a", "b"]))).length).toBe(1);
    const name = "a_layer_with_a_name_of_sixty_letters_which_is_longer_than_any";
    const svg = graphPicture({
      nodes: [
        { id: "a", title: name, subtitle: "<i>&", lines: [["name".repeat(30), "value".repeat(30)], "x".repeat(90)] },
      ],
      edges: [],
    });
    expect(svg).toContain(`<title>${name}</title>`);
    const [box] = boxesOf(svg);
    expect((box?.right ?? 0) - (box?.left ?? 0)).toBe(340);
    expect(textsOf(svg)).toContain("<i>&");
    fc.assert(
      fc.property(
        anyText,
        (title) =>
          void textsOf(graphPicture({ nodes: [{ id: "a", title, lines: [[title, title]] }], edges: [] }, { title })),
      ),
      { numRuns: 60 },
    );
  });

  it("refuses circles, ids said twice and unknown ones", () => {
    expect(() => graphPicture(graph(["a", "b"], ["b", "c"], ["c", "a"]))).toThrow(
      "expected arrows that go one way, received a circle",
    );
    expect(() => graphPicture(graph(["a", "a"]))).toThrow("received a circle");
    expect(() =>
      graphPicture({
        nodes: [
          { id: "a", title: "" },
          { id: "a", title: "" },
        ],
        edges: [],
      }),
    ).toThrow('expected each id once, received "a" twice');
    expect(() => graphPicture({ nodes: [], edges: [{ from: "x", to: "y" }] })).toThrow(
      'an edge names "x", which is no node',
    );
  });

  it("never lets boxes overlap, arrows go up, or lanes touch a box, whatever the network", () => {
    fc.assert(
      fc.property(anyEdges, (edges) => {
        const ranks = ranksOf(14, edges);
        for (const [from, to] of edges) expect(ranks[to]).toBeGreaterThan(ranks[from] ?? 0);
        const network = makeRows(ranks, edges);
        const width = (item: Item): number => (item.node === undefined ? 4 : 100);
        const columns = columnsOf(network, width);
        for (const row of network.rows)
          for (const [i, item] of row.entries()) {
            const before = row[i - 1];
            if (before === undefined || (before.node === undefined && item.node === undefined)) continue;
            const gap = (columns.get(item) ?? 0) - (columns.get(before) ?? 0) - (width(item) + width(before)) / 2;
            expect(gap).toBeGreaterThan(13.9);
          }
        const nodes = ranks.map((_, i) => ({ id: String(i), title: `layer ${i}` }));
        const svg = graphPicture({ nodes, edges: edges.map(([from, to]) => ({ from: String(from), to: String(to) })) });
        textsOf(svg);
        const boxes = boxesOf(svg);
        const overlap = boxes.some((a, i) =>
          boxes.some((b, j) => i < j && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom),
        );
        expect(overlap).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it("draws a network of a thousand layers in a moment", () => {
    const edges = Array.from({ length: 1000 }, (_, i) => [`layer ${i}`, `layer ${i + 1}`] as const);
    const skips = Array.from({ length: 330 }, (_, i) => [`layer ${3 * i}`, `layer ${3 * i + 3}`] as const);
    const start = performance.now();
    expect(boxesOf(graphPicture(graph(...edges, ...skips))).length).toBe(1001);
    expect(performance.now() - start).toBeLessThan(4000);
  });
});
