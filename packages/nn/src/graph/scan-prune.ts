/** @file Drops what nobody reads of a Scan: rows, and sequences that only they needed. */
import type { Graph, Node, Value } from "@gristmill/onnx";
import { scanAttributes, scanForm } from "./scan-form.ts";

/**
 * The same Scan without rows that are not needed. States stay: each step hands them to the next.
 * @param pruneBody takes a body without some of its outputs, and gives it without the nodes that only they needed.
 * @param namesRead names that the nodes of a graph read.
 */
export function pruneScan(
  node: Node,
  isNeeded: (value: Value) => boolean,
  pruneBody: (body: Graph) => Graph,
  namesRead: (body: Graph) => ReadonlySet<string>,
): Node {
  const { body, states, sequences, rows } = scanForm(node);
  const count = states.length;
  const keptRows = rows.flatMap((row, i) => (row.value !== undefined && isNeeded(row.value) ? [i] : []));
  const outputs = [...body.outputs.slice(0, count), ...pick(body.outputs.slice(count), keptRows)];
  const left = pruneBody({ ...body, outputs });
  const read = namesRead(left);
  const slices = left.inputs.slice(count);
  const readSlices = slices.flatMap((slice, i) => (read.has(slice.name) ? [i] : []));
  // a Scan without a sequence has no length
  const keptSlices = readSlices.length > 0 ? readSlices : [0];
  if (keptRows.length === rows.length && keptSlices.length === slices.length) return withBody(node, left);
  const given = pick(sequences, keptSlices);
  return {
    ...node,
    inputs: [...states, ...given.map(({ value }) => value)],
    outputs: [...node.outputs.slice(0, count), ...pick(rows, keptRows).map(({ value }) => value)],
    attributes: {
      ...scanAttributes(
        left,
        given.map(({ walk }) => walk),
        pick(rows, keptRows).map(({ walk }) => walk),
      ),
      body: { graph: { ...left, inputs: [...left.inputs.slice(0, count), ...pick(slices, keptSlices)] } },
    },
  };
}

const withBody = (node: Node, body: Graph): Node => ({
  ...node,
  attributes: { ...node.attributes, body: { graph: body } },
});

const pick = <T>(list: readonly T[], places: readonly number[]): T[] => list.filter((_, i) => places.includes(i));
