/** A place in the picture, in pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * What of a curve can be seen: unbroken pieces, and of each pixel's column only the first, the highest, the lowest and the
 * last point. A million steps make a file of some kilobytes that looks the same. `pointAt` gives nothing for a gap.
 */
export function visiblePoints(length: number, pointAt: (i: number) => Point | undefined): Point[][] {
  const pieces: Point[][] = [];
  let piece: Point[] = [];
  let column: Column | undefined;
  for (let i = 0; i <= length; i++) {
    const point = i < length ? pointAt(i) : undefined;
    if (column !== undefined && (point === undefined || Math.floor(column.first.x) !== Math.floor(point.x))) {
      piece.push(...pointsOf(column));
      column = undefined;
    }
    if (point === undefined) {
      if (piece.length > 0) pieces.push(piece);
      piece = [];
    } else
      column = column === undefined ? { first: point, low: point, high: point, last: point } : widened(column, point);
  }
  return pieces;
}

/** The outermost points in one pixel's column. */
interface Column {
  readonly first: Point;
  readonly low: Point;
  readonly high: Point;
  readonly last: Point;
}

const widened = ({ first, low, high }: Column, point: Point): Column => ({
  first,
  low: point.y < low.y ? point : low,
  high: point.y > high.y ? point : high,
  last: point,
});

const pointsOf = ({ first, low, high, last }: Column): Set<Point> =>
  new Set(low.x < high.x ? [first, low, high, last] : [first, high, low, last]);
