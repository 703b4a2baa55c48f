import { type Graph, type Node, settingsOf, type Value } from "@gristmill/onnx";

/** How a sequence is walked, or rows are stacked. */
export interface Walk {
  readonly axis: number;
  /** 0 from first to last, 1 from last to first. */
  readonly direction: number;
}

/** The steps in their order along axis 0. */
export const inOrder: Walk = { axis: 0, direction: 0 };

/** True for steps in their order along axis 0. */
export const isInOrder = ({ axis, direction }: Walk): boolean => axis === 0 && direction === 0;

/** Last to first where it was first to last. */
export const reversed = ({ axis, direction }: Walk): Walk => ({ axis, direction: 1 - direction });

/** A sequence, or rows, and the way in which they are walked. */
export interface Stack {
  readonly value: Value;
  readonly walk: Walk;
}

/** A Scan node taken apart; sequences and rows come with the way in which they are walked. */
export interface ScanForm {
  readonly body: Graph;
  /** States before the first step. */
  readonly states: readonly Value[];
  readonly sequences: readonly Stack[];
  /** Outputs of the node behind the final states; undefined where nobody named one. */
  readonly rows: readonly { readonly value: Value | undefined; readonly walk: Walk }[];
}

/** Reads a Scan node, with ONNX's defaults where it says nothing. */
export function scanForm(node: Node): ScanForm {
  const settings = settingsOf("Scan", node);
  const inputs = node.inputs.filter((value) => value !== undefined);
  const count = inputs.length - settings.num_scan_inputs;
  return {
    body: settings.body,
    states: inputs.slice(0, count),
    sequences: inputs.slice(count).map((value, i) => ({
      value,
      walk: walkAt(settings.scan_input_axes, settings.scan_input_directions, i, value.shape.length),
    })),
    rows: settings.body.outputs.slice(count).map((row, i) => ({
      value: node.outputs[count + i],
      walk: walkAt(settings.scan_output_axes, settings.scan_output_directions, i, row.shape.length + 1),
    })),
  };
}

function walkAt(
  axes: readonly number[] | undefined,
  directions: readonly number[] | undefined,
  index: number,
  rank: number,
): Walk {
  const axis = axes?.[index] ?? 0;
  return { axis: axis < 0 ? axis + rank : axis, direction: directions?.[index] ?? 0 };
}

/** The attributes of a Scan that is put together from its parts. */
export const scanAttributes = (body: Graph, sequences: readonly Walk[], rows: readonly Walk[]) => ({
  body,
  num_scan_inputs: sequences.length,
  scan_input_axes: sequences.map(({ axis }) => axis),
  scan_input_directions: sequences.map(({ direction }) => direction),
  scan_output_axes: rows.map(({ axis }) => axis),
  scan_output_directions: rows.map(({ direction }) => direction),
});
