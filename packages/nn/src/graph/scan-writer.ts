import { GraphBuilder, type Shape, ShapeError, sameShape, type Value } from "@gristmill/onnx";
import { GraphMath } from "./graph-math.ts";
import { namesReadIn, prune } from "./prune.ts";
import { type Stack, scanAttributes, type Walk } from "./scan-form.ts";
import { hoist } from "./scan-hoist.ts";

/** A value that goes round. */
export interface State {
  /** In the body: before the step. */
  readonly now: Value;
  /** Around the body: before the first step. */
  readonly start: Value;
  /** Its place among the results. */
  readonly place: number;
}

/** What a Scan gives: states after the last step, and stacked rows. */
export interface ScanResults {
  readonly states: readonly Value[];
  readonly rows: readonly Value[];
}

/**
 * Writes one Scan piece by piece: first what enters its body, then the body in `math`, then what leaves it. Slices that
 * the body does not read are dropped; what does not change from step to step is computed once, before the Scan.
 */
export class ScanWriter {
  /** The body's. */
  readonly math: GraphMath;
  readonly #outer: GraphMath;
  readonly #states: State[] = [];
  readonly #next: Value[] = [];
  readonly #slices: Value[] = [];
  readonly #stacks = new Map<Value, Stack>();
  readonly #rows: { readonly value: Value; readonly walk: Walk }[] = [];

  constructor(outer: GraphMath) {
    // no other body of the same graph has this name: a Scan adds a node, so the next one has another number
    const name = `${outer.builder.name}/scan${outer.builder.nodes.length}`;
    this.#outer = outer;
    this.math = new GraphMath(new GraphBuilder(name, { outer: outer.builder }));
  }

  /** A value that goes round, from where it starts. Every state needs its `next`. */
  state(start: Value): State {
    const place = this.#states.length;
    const state = { now: this.#input(`state${place}`, start, start.shape), start, place };
    this.#states.push(state);
    return state;
  }

  /** What a state becomes. @throws ShapeError when it has not the state's shape and element type. */
  next({ now, place }: State, value: Value): void {
    const shown = ({ dtype, shape }: Value): string => `${dtype} [${shape.join(", ")}]`;
    if (value.dtype !== now.dtype || !sameShape(value.shape, now.shape))
      throw new ShapeError(
        this.math.builder.name,
        `expected a step to keep state ${place} as ${shown(now)}, received ${shown(value)}; give it another first value, or reshape`,
      );
    this.#next[place] = value;
  }

  /** A value that is another one in each step; `feed` says where it comes from. */
  slice(like: Pick<Value, "dtype" | "shape">): Value {
    const slice = this.#input(`slice${this.#slices.length}`, like, like.shape);
    this.#slices.push(slice);
    return slice;
  }

  /** The sequence behind a slice. */
  feed(slice: Value, stack: Stack): void {
    this.#stacks.set(slice, stack);
  }

  /** Stacks a value over the steps; gives its place among the results' rows. One value stacked one way is one row. */
  row(value: Value, walk: Walk): number {
    const same = this.#rows.findIndex(
      (row) => row.value === value && row.walk.axis === walk.axis && row.walk.direction === walk.direction,
    );
    return same >= 0 ? same : this.#rows.push({ value, walk }) - 1;
  }

  /**
   * Adds the Scan to the graph around.
   * @param supply is asked for the sequences of slices that are read and not fed yet, once all of them are known.
   * @throws ShapeError for a state without its next value, and for a Scan without a sequence.
   */
  write(supply?: (slices: readonly Value[]) => void): ScanResults {
    const { builder } = this.math;
    for (const { place } of this.#states)
      builder.output(this.#next[place] ?? fail(builder.name, `expected a next value of state ${place}, received none`));
    for (const { value } of this.#rows) builder.output(value);
    const body = hoist(this.#outer, prune(builder.build()));
    const read = namesReadIn(body);
    const isRead = (slice: Value): boolean => read.has(slice.name);
    supply?.(this.#slices.filter((slice) => isRead(slice) && !this.#stacks.has(slice)));
    const fed = this.#slices.flatMap((slice) => {
      const stack = this.#stacks.get(slice);
      return stack === undefined ? [] : [{ slice, ...stack }];
    });
    const readOnes = fed.filter(({ slice }) => isRead(slice));
    // the length of a Scan is that of its sequences, so one stays though nobody reads it
    const sequences = readOnes.length > 0 ? readOnes : fed.slice(0, 1);
    if (sequences.length === 0) fail(builder.name, "expected at least one sequence to walk, received none");
    const inputs = [...this.#states.map(({ now }) => now), ...sequences.map(({ slice }) => slice)];
    const walks = [sequences.map(({ walk }) => walk), this.#rows.map(({ walk }) => walk)] as const;
    const results = this.#outer.builder.ops(
      "Scan",
      [...this.#states.map(({ start }) => start), ...sequences.map(({ value }) => value)],
      scanAttributes({ ...body, inputs }, ...walks),
      this.#states.length + this.#rows.length,
    );
    return { states: results.slice(0, this.#states.length), rows: results.slice(this.#states.length) };
  }

  #input(hint: string, { dtype }: Pick<Value, "dtype">, shape: Shape): Value {
    return this.math.builder.input(`${this.math.builder.name}/${hint}`, dtype, shape);
  }
}

function fail(where: string, message: string): never {
  throw new ShapeError(where, message);
}
