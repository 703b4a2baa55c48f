import { ShapeError, type Value } from "@gristmill/onnx";
import type { ConfigOf, Fields, Json } from "../../schema/field.ts";
import { type DefinedLayer, defineManyLayer } from "../define-layer.ts";
import { type Features, plain, toPlain } from "../features.ts";
import type { LayerScope, Parameter } from "../layer.ts";
import { formatSample, isSameSample, type SampleShape, type Size } from "../shape.ts";
import type { Cell, CellState } from "./cell.ts";
import { type WalkConfig, walkFields } from "./settings.ts";
import { type Walked, walkSteps } from "./walk.ts";
import { zerosPerSample } from "./zeros.ts";

/** Walks a recurrent layer's steps; `rowsInTurn` false puts each row where its step stands, whatever the direction. */
export type RecurrentWalk = (
  config: Readonly<Record<string, Json>>,
  scope: LayerScope,
  inputs: readonly Features[],
  rowsInTurn: boolean,
) => Walked;

const walks = new Map<string, RecurrentWalk>();

/** How the recurrent layer of a type walks, for layers that wrap it; undefined for other layers. */
export const findRecurrent = (type: string): RecurrentWalk | undefined => walks.get(type);

/**
 * Defines a recurrent layer by what it does in one step.
 *
 * - Inputs: sequences [batch, steps, features], then optionally the first states, [batch, size] each; masks skip steps.
 * - Outputs: the last answer [batch, size], or with `returnSequences` all of them [batch, steps, size]; then, with
 *   `returnState`, the last states.
 * - Settings: those of the cell, and of every walk: `returnSequences`, `returnState`, `goBackwards`, `stateful` with
 *   `batchSize`, `zeroOutputForMask`.
 * - ONNX: one Scan, whose loop holds only what depends on the state.
 */
export function defineRecurrent<F extends Fields>(cell: Cell<F>): DefinedLayer {
  type Settings = ConfigOf<F> & WalkConfig;
  const walk: RecurrentWalk = (given, scope, inputs, rowsInTurn) => {
    const config = given as Settings;
    return walkCell(cell, config, config, scope, inputs, rowsInTurn);
  };
  walks.set(cell.type, walk);
  return defineManyLayer<Fields>({
    type: cell.type,
    fields: { ...cell.fields, ...walkFields },
    inputs: [1, Number.POSITIVE_INFINITY],
    check(given, where, problems) {
      // the fields that were read are the cell's and the walk's
      const config = given as Settings;
      if (config.stateful && config.batchSize === null)
        problems.add(
          `${where}.batchSize`,
          "expected the number of samples of every batch, received nothing: each sample of a stateful layer has its own memory",
        );
      cell.check?.(config, where, problems);
    },
    outputShapes(given, inputs, where) {
      const config = given as Settings;
      const [steps] = sequenceShape(inputs[0], where);
      const states = cell.states(config);
      assertStates(states, inputs.slice(1), where);
      const answer = states[0]?.size ?? 1;
      return [
        config.returnSequences ? [steps, answer] : [answer],
        ...(config.returnState ? states.map(({ size }) => [size]) : []),
      ];
    },
    parameters(given, inputs) {
      const config = given as Settings;
      const [, features] = sequenceShape(inputs[0], cell.type);
      return [...cell.parameters(config, features), ...memories(config, cell.states(config))];
    },
    build(given, scope, inputs) {
      const config = given as Settings;
      const walked = walk(config, scope, inputs, true);
      const rows = walked.rows && scope.math.transpose(walked.rows, [1, 0, 2]);
      const mask = inputs[0]?.mask;
      const sequences = rows && plain(rows, [inputs[0]?.shape[0] ?? null, ...sizesBehind(rows)]);
      const inTurn = mask && config.goBackwards ? scope.math.slice(mask, [1], [-1], [-(2 ** 31)], [-1]) : mask;
      const answer = sequences ? { ...sequences, mask: inTurn } : perSample(walked.last);
      return [answer, ...(config.returnState ? walked.states.map(perSample) : [])];
    },
  });
}

/** [steps, features] of what enters. @throws ShapeError */
export function sequenceShape(input: SampleShape | undefined, where: string): readonly [Size, number] {
  const [steps, features] = input ?? [];
  if (input?.length !== 2 || steps === undefined || typeof features !== "number")
    throw new ShapeError(
      where,
      `expected samples of [steps, features], received ${formatSample(input ?? [])}; put an embedding or reshape() before it`,
    );
  return [steps, features];
}

/** One row for each sample: a last answer, or a state. */
export const perSample = (value: Value): Features => plain(value, sizesBehind(value));

const sizesBehind = (value: Value): number[] => [Number(value.shape.at(-1))];

function assertStates(states: readonly CellState[], given: readonly SampleShape[], where: string): void {
  const expected = states.map(({ size }) => [size]);
  if (
    given.length === 0 ||
    (given.length === expected.length && given.every((shape, i) => isSameSample(shape, expected[i] ?? [])))
  )
    return;
  throw new ShapeError(
    where,
    `expected first states of ${expected.map(formatSample).join(", ")} behind the sequences, received ${given.map(formatSample).join(", ")}`,
  );
}

const memoryOf = ({ name }: CellState): string => `state_${name}`;

/** What a stateful layer keeps from batch to batch. */
const memories = ({ stateful, batchSize }: WalkConfig, states: readonly CellState[]): Parameter[] =>
  stateful && batchSize !== null
    ? states.map((state) => ({
        name: memoryOf(state),
        shape: [batchSize, state.size],
        initializer: { type: "zeros" },
        role: "state",
      }))
    : [];

function walkCell<F extends Fields>(
  cell: Cell<F>,
  own: ConfigOf<F>,
  config: WalkConfig,
  scope: LayerScope,
  [input, ...given]: readonly Features[],
  rowsInTurn: boolean,
): Walked {
  const { math } = scope;
  if (input === undefined) throw new Error(`${scope.path}: built without an input`);
  const { stateful, batchSize, goBackwards, zeroOutputForMask, returnSequences } = config;
  const { value, mask } = toPlain(math, input);
  const [batch] = value.shape;
  if (stateful && typeof batch === "number" && batch !== batchSize)
    throw new ShapeError(
      scope.path,
      `expected batches of ${batchSize} samples, as batchSize says, received ${batch}; a stateful layer has one memory for each sample`,
    );
  const states = cell.states(own);
  const x = math.transpose(value, [1, 0, 2]);
  const entering = cell.project(own, scope, x);
  const starts = states.map((state, i) => {
    const first = given[i];
    if (first !== undefined) return toPlain(math, first).value;
    return stateful ? scope.weight(memoryOf(state)) : zerosPerSample(math, x, state.size);
  });
  const walked = walkSteps(math, {
    step: cell.step(own, scope, x),
    entering,
    starts,
    startsAtZero: given.length === 0 && !stateful,
    mask,
    backwards: goBackwards,
    rowsInTurn,
    zeroOutputForMask,
    wantsRows: returnSequences,
  });
  if (stateful)
    states.forEach((state, i) => {
      const last = walked.states[i];
      if (last !== undefined) scope.update(memoryOf(state), last);
    });
  return walked;
}
