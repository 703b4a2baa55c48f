/** @file Walks a cell along the steps of its sequences, as Keras does where steps are masked. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../../graph/graph-math.ts";
import { scan } from "../../graph/scan.ts";
import type { CellStep } from "./cell.ts";
import { zerosPerSample } from "./zeros.ts";

/** A walk. */
export interface Walk {
  readonly step: CellStep;
  /** [steps, batch, any] */
  readonly entering: Value;
  /** States before the first step, [batch, size] each; the first is the answer. */
  readonly starts: readonly Value[];
  /** True when the first answers, where nothing was before them, are zeros as the states are. */
  readonly startsAtZero: boolean;
  /** bool [batch, steps] */
  readonly mask: Value | undefined;
  readonly backwards: boolean;
  /** Rows in the order of the steps walked, not of the slices. */
  readonly rowsInTurn: boolean;
  readonly zeroOutputForMask: boolean;
  readonly wantsRows: boolean;
}

/** What a walk gives. */
export interface Walked {
  /** The answer of every step, [steps, batch, size]; only when it was wanted. */
  readonly rows: Value | undefined;
  /** The answer of the last step, [batch, size]. */
  readonly last: Value;
  readonly states: readonly Value[];
}

/**
 * Where the mask is false a step is skipped: states stay, and the answer is the last one before it (zeros where there
 * was none) or, with `zeroOutputForMask`, zeros.
 */
export function walkSteps(math: GraphMath, walk: Walk): Walked {
  const { step, entering, starts, mask, zeroOutputForMask } = walk;
  const ordered = { backwards: walk.backwards, rowsInTurn: walk.rowsInTurn };
  const count = starts.length;
  if (mask === undefined) {
    const { states, rows } = scan(math, {
      ...ordered,
      states: starts,
      sequences: [entering],
      step(body, now, [slice]) {
        const next = step(body, now, present(slice));
        return { states: next, rows: walk.wantsRows ? next.slice(0, 1) : [] };
      },
    });
    return { rows: rows[0], last: present(states[0]), states };
  }
  // without a start of its own, or zeros in between, the answer is the first state
  const isAnswerState = walk.startsAtZero && !zeroOutputForMask;
  const answers = isAnswerState ? [] : [zerosPerSample(math, entering, Number(present(starts[0]).shape.at(-1)))];
  const { states, rows } = scan(math, {
    ...ordered,
    states: [...starts, ...answers],
    sequences: [entering, maskRows(math, mask)],
    step(body, now, [slice, keep]) {
      const before = now.slice(0, count);
      const made = step(body, before, present(slice));
      const next = made.map((value, i) => body.where(present(keep), value, present(before[i])));
      const answer = isAnswerState
        ? present(next[0])
        : body.where(present(keep), present(made[0]), zeroOutputForMask ? 0 : present(now[count]));
      return { states: isAnswerState ? next : [...next, answer], rows: walk.wantsRows ? [answer] : [] };
    },
  });
  return { rows: rows[0], last: present(states[isAnswerState ? 0 : count]), states: states.slice(0, count) };
}

/** [batch, steps] as [steps, batch, 1] */
const maskRows = (math: GraphMath, mask: Value): Value =>
  math.builder.op("Unsqueeze", [math.transpose(mask, [1, 0]), math.builder.ints(2)]);

function present(value: Value | undefined): Value {
  if (value === undefined) throw new Error("a recurrent cell: expected as many next states as it declares");
  return value;
}
