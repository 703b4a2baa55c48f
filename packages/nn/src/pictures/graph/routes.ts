/** @file The way of each arrow: down from box to box, or out at a side, along its lane, and in at the side. */
import { place } from "../document.ts";
import type { Box } from "./box.ts";
import type { Item } from "./rows.ts";

/** What is known of the picture's places. */
export interface Places {
  boxOf(item: Item): Box;
  /** Middle from left to right. */
  xOf(item: Item): number;
  /** Upper and lower end of a row. */
  rowOf(rank: number): { readonly top: number; readonly bottom: number };
  /** Whether another box of the item's row stands between it and a place. */
  isBlocked(item: Item, x: number): boolean;
}

type Side = "left" | "right" | "middle";

interface Route {
  readonly chain: readonly Item[];
  readonly start: Side;
  readonly end: Side;
}

const corner = 9;
const arrowLength = 7;

/** Arrows as SVG. Where several enter a box, each has a place of its own; what leaves a box is one value, and leaves at one. */
export function drawRoutes(chains: readonly (readonly Item[])[], places: Places): string[] {
  const routes = chains.map(
    (chain): Route => ({
      chain,
      start: sideOf(chain[0], chain[1], places),
      end: sideOf(chain.at(-1), chain.at(-2), places),
    }),
  );
  const entering = Map.groupBy(routes, ({ chain, end }) => `${end} ${chain.at(-1)?.node}`);
  const shifts = new Map<Route, number>();
  for (const group of entering.values()) {
    const sorted = group.toSorted((a, b) => nearEnd(a, places) - nearEnd(b, places));
    for (const [i, route] of sorted.entries()) shifts.set(route, i - (sorted.length - 1) / 2);
  }
  return routes.map((route) => drawRoute(route, shifts.get(route) ?? 0, places));
}

/** Where the arrow's last piece begins: from left to right at the top of a box, from the outermost in at its sides. */
const nearEnd = ({ chain }: Route, { xOf }: Places): number => {
  const before = chain.at(-2);
  return before === undefined ? 0 : xOf(before);
};

/** The side at which a box is left for a lane (or entered from it): the lane must be beside the box and nothing between. */
function sideOf(box: Item | undefined, lane: Item | undefined, { boxOf, xOf, isBlocked }: Places): Side {
  if (box === undefined || lane === undefined || lane.node !== undefined) return "middle";
  const { x, width } = boxOf(box);
  const way = xOf(lane) - x;
  if (Math.abs(way) < width / 2 + corner || isBlocked(box, xOf(lane))) return "middle";
  return way > 0 ? "right" : "left";
}

function drawRoute({ chain, start, end }: Route, shift: number, places: Places): string {
  const { boxOf, xOf, rowOf } = places;
  const [first, last] = [chain[0], chain.at(-1)];
  if (first === undefined || last === undefined) return "";
  const lanes = chain.slice(1, -1);
  const [from, to] = [boxOf(first), boxOf(last)];
  const path: string[] = [];
  let at = { x: from.x, y: from.y + from.height / 2 };
  const curve = (x: number, y: number): void => {
    const middle = (at.y + y) / 2;
    if (Math.abs(at.x - x) < 0.5) path.push(`V${place(y)}`);
    else path.push(`C${place(at.x)} ${place(middle)} ${place(x)} ${place(middle)} ${place(x)} ${place(y)}`);
    at = { x, y };
  };
  const [lane] = lanes;
  if (start === "middle" || lane === undefined) path.push(`M${place(at.x)} ${place(at.y)}`);
  else {
    const sign = start === "right" ? 1 : -1;
    const y = from.y + from.height * 0.2;
    const x = xOf(lane);
    path.push(
      `M${place(from.x + (sign * from.width) / 2)} ${place(y)}H${place(x - sign * corner)}q${sign * corner} 0 ${sign * corner} ${corner}`,
    );
    at = { x, y: y + corner };
  }
  for (const item of lanes) {
    const row = rowOf(item.rank);
    if (Math.abs(at.x - xOf(item)) >= 0.5) curve(xOf(item), row.top);
    path.push(`V${place(row.bottom)}`);
    at = { x: xOf(item), y: row.bottom };
  }
  if (end === "middle") {
    const room = Math.min(22, (to.width - 48) / 6);
    const x = to.x + shift * room;
    const top = to.y - to.height / 2;
    curve(x, top - arrowLength);
    return arrow(path, `M${place(x)} ${place(top - 1)}l-4 ${-arrowLength}h8z`);
  }
  const sign = end === "right" ? 1 : -1;
  // the outermost lane enters highest, so that lanes do not cross
  const y = to.y - to.height * 0.2 - shift * sign * 9;
  const side = to.x + (sign * to.width) / 2;
  path.push(`V${place(y - corner)}q0 ${corner} ${-sign * corner} ${corner}H${place(side + sign * arrowLength)}`);
  return arrow(path, `M${place(side + sign)} ${place(y)}l${sign * arrowLength} -4v8z`);
}

const arrow = (path: readonly string[], head: string): string =>
  `<path class="edge" d="${path.join("")}"/><path class="arrow" d="${head}"/>`;
