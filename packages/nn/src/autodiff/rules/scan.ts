/**
 * @file The gradient of Scan, for any body whose operators have rules: a Scan that walks the steps from the last to the
 * first and hands the gradients of the states back. What a step computed on the way forward comes from its recording
 * (scan-record.ts); what it wants of captured values is put off, or added up from step to step (scan-captured.ts).
 */
import { isFloating, type Value } from "@gristmill/onnx";
import { sizesOf } from "../../graph/graph-math.ts";
import { reversed, type ScanForm, scanForm } from "../../graph/scan-form.ts";
import { ScanWriter, type State } from "../../graph/scan-writer.ts";
import type { GradientCall, GradientTable, Seed } from "../rule.ts";
import { capturedInputs, slopesWanted, writeShare } from "./scan-captured.ts";
import { Mirror } from "./scan-mirror.ts";
import { Recording } from "./scan-record.ts";

type ScanCall = GradientCall<"Scan">;

/** Rule of Scan. */
export const scanRules = {
  Scan: (call) => {
    const { math } = call;
    const form = scanForm(call.node);
    const { body, states, sequences } = form;
    const writer = new ScanWriter(math);
    const mirror = new Mirror(writer, body);
    sequences.forEach(({ value, walk }, i) => {
      const slice = body.inputs[states.length + i];
      if (slice !== undefined) writer.feed(mirror.of(slice), { value, walk: reversed(walk) });
    });

    const carried = carryStates(call, form, writer);
    const captured = capturedInputs(call, form);
    const wantedSlices = sequences.map(({ value }, i) =>
      call.needs(states.length + i) && isFloating(value.dtype) ? body.inputs[states.length + i] : undefined,
    );
    const wanted = [
      ...carried.map(({ entering }) => entering),
      ...wantedSlices.filter((slice) => slice !== undefined),
      ...captured.flatMap((input) => (input === undefined ? [] : slopesWanted(input))),
    ];
    const found = call.differentiate(
      writer.math,
      mirror.tape,
      [
        ...carried.map(({ state, leaving }) => ({ value: mirror.of(leaving), gradient: state.now })),
        ...rowSeeds(call, form, writer, mirror),
      ],
      wanted.map((value) => mirror.of(value)),
    );
    const slopes = new Map(wanted.map((value, i) => [value.name, found[i]]));
    const slopeOf = (value: Value): Value | undefined => slopes.get(value.name);

    for (const { state, entering } of carried)
      writer.next(state, slopeOf(entering) ?? writer.math.filled(sizesOf(state.now), 0, state.now.dtype));
    const sliceRows = wantedSlices.map((slice, i) => {
      const [slope, walk] = [slice && slopeOf(slice), sequences[i]?.walk];
      return slope && walk && writer.row(slope, reversed(walk));
    });
    const answers = captured.map((input) => input && writeShare(writer, math, input, slopeOf));

    const recording = new Recording(math, call.node, form);
    const operands = captured.flatMap((input) => input?.uses?.flatMap(({ operand }) => operand ?? []) ?? []);
    const results = writer.write((missing) => {
      recording.record(
        missing.map((slice) => mirror.inner(slice)),
        operands,
      );
      for (const slice of missing) {
        const { value, walk } = recording.stack(mirror.inner(slice));
        writer.feed(slice, { value, walk: reversed(walk) });
      }
    });
    return [
      ...states.map((_, i) => {
        const own = carried.find(({ index }) => index === i);
        return own && call.needs(i) ? results.states[own.state.place] : undefined;
      }),
      ...sliceRows.map((row) => (row === undefined ? undefined : results.rows[row])),
      ...answers.map((answer) => answer?.(math, results, recording)),
    ];
  },
} satisfies Partial<GradientTable>;

/** A forward state, and the state of the way back that holds its gradient. */
interface CarriedState {
  readonly index: number;
  /** In the forward body: before and after the step. */
  readonly entering: Value;
  readonly leaving: Value;
  readonly state: State;
}

/** The gradient of every state goes round, from that of its last value. */
function carryStates(call: ScanCall, { body, states }: ScanForm, writer: ScanWriter): CarriedState[] {
  return states.flatMap((value, index) => {
    const [entering, leaving] = [body.inputs[index], body.outputs[index]];
    if (!isFloating(value.dtype) || entering === undefined || leaving === undefined) return [];
    const start = call.gradient(index) ?? call.math.filled(sizesOf(value), 0, value.dtype);
    return [{ index, entering, leaving, state: writer.state(start) }];
  });
}

/** Rows that have a gradient bring it into their step. */
function rowSeeds(call: ScanCall, { body, states, rows }: ScanForm, writer: ScanWriter, mirror: Mirror): Seed[] {
  return rows.flatMap(({ walk }, i) => {
    const stack = call.gradient(states.length + i);
    const row = body.outputs[states.length + i];
    if (stack === undefined || row === undefined) return [];
    const gradient = writer.slice({ dtype: stack.dtype, shape: stack.shape.filter((_, axis) => axis !== walk.axis) });
    writer.feed(gradient, { value: stack, walk: reversed(walk) });
    return [{ value: mirror.of(row), gradient }];
  });
}
