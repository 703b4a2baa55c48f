/** @file Gradients of what the body of a Scan captures: put off behind the backward Scan, or added up in it. */
import { isFloating, type Value } from "@gristmill/onnx";
import { type GraphMath, sizesOf } from "../../graph/graph-math.ts";
import { inOrder, reversed, type ScanForm } from "../../graph/scan-form.ts";
import type { ScanResults, ScanWriter } from "../../graph/scan-writer.ts";
import type { GradientCall } from "../rule.ts";
import { type DeferredUse, deferredUses } from "./scan-deferred.ts";
import type { Recording } from "./scan-record.ts";

/** A captured value whose gradient is wanted; `uses` when all of its uses can be put off. */
export interface CapturedInput {
  readonly value: Value;
  readonly uses: readonly DeferredUse[] | undefined;
}

/** Captured values of a Scan node; undefined where nobody wants the gradient. */
export const capturedInputs = (call: GradientCall<"Scan">, { body }: ScanForm): (CapturedInput | undefined)[] =>
  call.captured.map((value, i) =>
    call.needs(call.node.inputs.length + i) && isFloating(value.dtype)
      ? { value, uses: deferredUses(body, value) }
      : undefined,
  );

/** Values of the forward body whose gradients a step's way back must give for a captured value. */
export const slopesWanted = ({ value, uses }: CapturedInput): readonly Value[] =>
  uses === undefined ? [value] : uses.map(({ result }) => result);

/** The gradient of a captured value, once the backward Scan is written. */
export type CapturedSlope = (math: GraphMath, results: ScanResults, recording: Recording) => Value | undefined;

/** Lets a step's way back give its share of a captured value's gradient. */
export function writeShare(
  writer: ScanWriter,
  outer: GraphMath,
  { value, uses }: CapturedInput,
  slopeOf: (value: Value) => Value | undefined,
): CapturedSlope {
  if (uses !== undefined) {
    const shares = uses.flatMap((use) => {
      const slope = slopeOf(use.result);
      return slope === undefined ? [] : [{ use, row: writer.row(slope, reversed(inOrder)) }];
    });
    return (math, { rows }, recording) =>
      shares
        .flatMap(({ use, row }) => {
          const slopes = rows[row];
          return slopes === undefined
            ? []
            : [use.share(math, slopes, use.operand && recording.stack(use.operand).value)];
        })
        .reduce<Value | undefined>((sum, share) => (sum === undefined ? share : math.add(sum, share)), undefined);
  }
  const slope = slopeOf(value);
  if (slope === undefined) return () => undefined;
  const sum = writer.state(outer.filled(sizesOf(value), 0, value.dtype));
  writer.next(sum, writer.math.add(sum.now, slope));
  return (_, { states }) => states[sum.place];
}
