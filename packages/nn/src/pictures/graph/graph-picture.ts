/** @file A network as a picture: rows by longest path, few crossings, skip connections beside the boxes. */
import { colorCount, svgDocument, svgText } from "../document.ts";
import { shortened, textWidth } from "../text.ts";
import { type Box, boxHeight, boxWidth, drawBox } from "./box.ts";
import { columnsOf } from "./columns.ts";
import { indexedEdges, type PictureGraph, type PictureNode } from "./description.ts";
import { ranksOf } from "./rank.ts";
import { drawRoutes } from "./routes.ts";
import { type Item, makeRows } from "./rows.ts";

/** How to draw a network. */
export interface GraphPictureOptions {
  readonly title?: string;
}

const margin = 24;
const laneWidth = 4;
/** Between rows: less where all arrows go straight down. */
const [shortGap, longGap] = [30, 46];

/**
 * An SVG file of a network, from top to bottom, by day and by night. Names that are too long are shortened; pointed at,
 * they are shown whole.
 * @throws NnError for an id said twice or unknown, and for arrows that go round in a circle.
 */
export function graphPicture(graph: PictureGraph, options: GraphPictureOptions = {}): string {
  const { nodes } = graph;
  const edges = indexedEdges(graph);
  const network = makeRows(ranksOf(nodes.length, edges), edges);
  const width = boxWidth(nodes);
  const nodeOf = (item: Item): PictureNode | undefined => (item.node === undefined ? undefined : nodes[item.node]);
  const heightOf = (item: Item): number => {
    const node = nodeOf(item);
    return node === undefined ? 0 : boxHeight(node);
  };
  const widthOf = (item: Item): number => (item.node === undefined ? laneWidth : width);
  const columns = columnsOf(network, widthOf);
  const [least, most] = extent([...columns].flatMap(([item, x]) => [x - widthOf(item) / 2, x + widthOf(item) / 2]));
  const title = options.title ?? "";
  const hasTitle = title !== "";
  const whole = Math.max(most - least + 2 * margin, Math.min(560, textWidth(title, 17) + 2 * margin));
  const shift = (whole - least - most) / 2;
  const xOf = (item: Item): number => (columns.get(item) ?? 0) + shift;
  const isStraight = (row: readonly Item[]): boolean =>
    row.every((item) =>
      item.below.every((to) => to.node === undefined || item.node === undefined || Math.abs(xOf(item) - xOf(to)) < 0.5),
    );
  let bottom = margin + (hasTitle ? 30 : 0);
  const bands = network.rows.map((row) => {
    const top = bottom;
    const height = row.reduce((tallest, item) => Math.max(tallest, heightOf(item)), 0);
    bottom = top + height + (isStraight(row) ? shortGap : longGap);
    return { top, bottom: top + height };
  });
  const rowOf = (rank: number) => bands[rank] ?? { top: 0, bottom: 0 };
  const boxOf = (item: Item): Box => {
    const { top, bottom: end } = rowOf(item.rank);
    return { x: xOf(item), y: (top + end) / 2, width, height: heightOf(item) };
  };
  const isBlocked = (item: Item, x: number): boolean =>
    (network.rows[item.rank] ?? []).some(
      (other) =>
        other !== item &&
        other.node !== undefined &&
        xOf(other) > Math.min(x, xOf(item)) - width / 2 &&
        xOf(other) < Math.max(x, xOf(item)) + width / 2,
    );
  const kinds = [...new Set(nodes.map(({ subtitle, title }) => subtitle ?? title))];
  const boxes = network.rows.flat().flatMap((item) => {
    const node = nodeOf(item);
    if (node === undefined) return [];
    return drawBox(node, boxOf(item), Math.min(colorCount - 1, kinds.indexOf(node.subtitle ?? node.title)));
  });
  return svgDocument(title || "network", whole, (bands.at(-1)?.bottom ?? 40) + margin, [
    ...(hasTitle
      ? [
          svgText(shortened(title, 17, whole - 2 * margin), {
            x: margin,
            y: margin + 8,
            classes: "title ink",
            whole: title,
          }),
        ]
      : []),
    ...drawRoutes(network.chains, { boxOf, xOf, rowOf, isBlocked }),
    ...boxes,
  ]);
}

/** Leftmost and rightmost of some places; 0 of none. */
function extent(places: readonly number[]): readonly [least: number, most: number] {
  const [first = 0] = places;
  const widen = ([least, most]: readonly [number, number], x: number) =>
    [Math.min(least, x), Math.max(most, x)] as const;
  return places.reduce(widen, [first, first] as const);
}
