import { ShapeError, type Value } from "@gristmill/onnx";
import type { GraphMath } from "./graph-math.ts";
import { type ScanResults, ScanWriter } from "./scan-writer.ts";

/** What one step of a recurrence gives: each state's next value, and what is stacked over the steps. */
export interface RecurrenceStep {
  readonly states: readonly Value[];
  readonly rows: readonly Value[];
}

/** A recurrence. */
export interface Recurrence {
  /** States before the first step. */
  readonly states: readonly Value[];
  /** Walked together, one slice a step; at least one, all of the same length, which the runtime wants to be 1 or more. */
  readonly sequences: readonly Value[];
  /** The axis of every sequence that is walked; 0 when left out, which alone is read without a copy. */
  readonly axis?: number;
  /** From the last slice to the first; each row stands where its slice stood. */
  readonly backwards?: boolean;
  /** Rows stand in the order of the steps instead, the last slice's row first when it is walked backwards. */
  readonly rowsInTurn?: boolean;
  /**
   * Writes one step. It may read values of the graph around (weights); what it multiplies by such a matrix is cheapest
   * as `math.product(rows, matrix)`.
   */
  step(math: GraphMath, states: readonly Value[], slices: readonly Value[]): RecurrenceStep;
}

/**
 * Writes a recurrence as one ONNX Scan. Its rows are stacked along axis 0.
 *
 * - Shapes: a slice is its sequence without the walked axis; a state keeps its shape; rows [steps, ...].
 * - Gradients: its rule (autodiff/rules/scan.ts) asks for the inner values that it needs, and `prune` makes them outputs
 *   of this same Scan, so that nothing is computed twice.
 * @throws ShapeError when a step changes the number, shape or element type of the states.
 */
export function scan(math: GraphMath, recurrence: Recurrence): ScanResults {
  const { axis = 0, backwards = false, rowsInTurn = false } = recurrence;
  const direction = backwards ? 1 : 0;
  const writer = new ScanWriter(math);
  const states = recurrence.states.map((start) => writer.state(start));
  const slices = recurrence.sequences.map((value) => {
    const walked = axis < 0 ? axis + value.shape.length : axis;
    const slice = writer.slice({ dtype: value.dtype, shape: value.shape.filter((_, other) => other !== walked) });
    writer.feed(slice, { value, walk: { axis: walked, direction } });
    return slice;
  });
  const step = recurrence.step(
    writer.math,
    states.map(({ now }) => now),
    slices,
  );
  if (step.states.length !== states.length)
    throw new ShapeError(
      writer.math.builder.name,
      `expected ${states.length} next states of a step, received ${step.states.length}`,
    );
  states.forEach((state, i) => {
    const next = step.states[i];
    if (next !== undefined) writer.next(state, next);
  });
  const places = step.rows.map((row) => writer.row(row, { axis: 0, direction: rowsInTurn ? 0 : direction }));
  const { states: last, rows } = writer.write();
  return { states: last, rows: places.flatMap((place) => rows[place] ?? []) };
}
