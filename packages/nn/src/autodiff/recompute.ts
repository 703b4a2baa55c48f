/**
 * @file Gradient checkpointing: the nodes of a block (a layer of a deep stack) are written a second time on the way back,
 * so that nothing inside the block is kept from the forward pass; only what enters it is. A stack of n equal blocks keeps
 * n inputs and the inside of one, for one more forward pass. Chen et al. 2016, arXiv:1604.06174.
 *
 * The runtime merges equal nodes, and would merge the copy with the first. So each value that enters the copy first goes
 * through a Concat with a list of no elements, cut from the incoming gradient: nothing changes, but the copy now depends on
 * that gradient. That copies each such value once, a memory move. What was tried: x + 0 dy[0] turns an infinite gradient
 * into NaN and reads and writes as much; a Reshape whose sizes depend on the gradient moves nothing, but hides the sizes of
 * everything behind it.
 *
 * The list is also cut from the gradients of the block behind: the runtime runs nodes depth first, and would put off those
 * gradients, and keep all that they need, until all blocks are through (12 layers: 1407 MB instead of 521).
 */
import { type AttributesOf, type Node, type OperatorName, settingsOf, type Value } from "@gristmill/onnx";
import { NnError } from "../errors.ts";
import { isGraph } from "../graph/captured.ts";
import { countElements, type GraphMath, sizesOf } from "../graph/graph-math.ts";

/** Drawn anew, their values would not be those of the forward pass. */
const drawing: ReadonlySet<string> = new Set([
  "Bernoulli",
  "Dropout",
  "Multinomial",
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
]);

/** Nodes that a copy can replace: they draw nothing, and hold no graph (a Scan keeps its tape), which reads values by name. */
const isCopied = (node: Node): boolean =>
  node.domain === "" &&
  !drawing.has(node.operator) &&
  !Object.values(node.attributes).some((attribute) => isGraph(attribute));

interface Block {
  readonly scope: string;
  readonly nodes: readonly Node[];
  /** Wanted values that its nodes read. */
  readonly weights: readonly Value[];
}

/** The blocks of a tape that are computed twice. */
export class Recomputation {
  readonly #math: GraphMath;
  readonly #blocks = new Map<Node, Block>();
  readonly #copies = new Map<Block, ReadonlyMap<Node, Node>>();
  readonly #wanted: ReadonlySet<Value>;
  #behind: Block | undefined;

  /**
   * - `scopes`: a node is of the first block of which its name has "scope/" at its start.
   * @throws NnError for a scope without nodes.
   */
  constructor(math: GraphMath, tape: readonly Node[], scopes: readonly string[], wanted: readonly Value[]) {
    this.#math = math;
    this.#wanted = new Set(wanted);
    for (const scope of scopes) {
      const nodes = tape.filter((node) => node.name.startsWith(`${scope}/`) && !this.#blocks.has(node));
      if (nodes.length === 0) throw noNodes(scope, tape);
      const weights = new Set(nodes.flatMap((node) => node.inputs.filter((input) => this.#isWanted(input))));
      const block = { scope, nodes: nodes.filter(isCopied), weights: [...weights] as Value[] };
      for (const node of block.nodes) this.#blocks.set(node, block);
    }
  }

  /** A node as its rule shall see it: its copy, if it is of a block. The copies are written when the way back enters the block. */
  shown(node: Node, found: ReadonlyMap<Value, Value>): Node {
    const block = this.#blocks.get(node);
    if (block === undefined) return node;
    const copies = this.#copies.get(block) ?? this.#write(block, found);
    this.#copies.set(block, copies);
    return copies.get(node) ?? node;
  }

  #write(block: Block, found: ReadonlyMap<Value, Value>): ReadonlyMap<Node, Node> {
    const math = this.#math;
    const made = new Set(block.nodes.flatMap((node) => node.outputs));
    const incoming = [...made, ...(this.#behind?.weights ?? [])].flatMap((value) => (value && found.get(value)) ?? []);
    this.#behind = block;
    const nothing = emptyAfter(math, incoming);
    const twins = new Map<Value, Value>();
    const twinOf = (value: Value | undefined): Value | undefined => {
      if (value === undefined || this.#isWanted(value) || math.builder.constantOf(value) !== undefined) return value;
      const twin = twins.get(value) ?? (made.has(value) ? value : behind(math, value, nothing));
      twins.set(value, twin);
      return twin;
    };
    const copies = block.nodes.map((node) => {
      const outputs = math.builder.within(block.scope, () => copyOf(math, node, node.inputs.map(twinOf)));
      node.outputs.forEach((output, i) => {
        const twin = outputs[i];
        if (output !== undefined && twin !== undefined) twins.set(output, twin);
      });
      const copy: Node = { ...node, inputs: node.inputs.map(twinOf), outputs };
      return [node, copy] as const;
    });
    return new Map(copies);
  }

  #isWanted(value: Value | undefined): boolean {
    return value !== undefined && this.#wanted.has(value);
  }
}

/** The same node on other values. */
function copyOf(math: GraphMath, node: Node, inputs: readonly (Value | undefined)[]): Value[] {
  const operator = node.operator as OperatorName;
  const settings: Readonly<Record<string, unknown>> = settingsOf(operator, node);
  const said = Object.fromEntries(Object.keys(node.attributes).map((name) => [name, settings[name]]));
  return math.builder.ops(operator, inputs, said as AttributesOf<OperatorName>, node.outputs.length);
}

/** A list without elements that cannot be made before all of some values are. */
function emptyAfter(math: GraphMath, values: readonly Value[]): Value {
  const lists = values.map((value) => {
    const flat = math.reshape(value, [countElements(value)]);
    return math.cast(math.slice(flat, [0], [0], [0]), "float32");
  });
  return math.concat(lists, 0);
}

/** The same value, but after the empty list. */
function behind(math: GraphMath, value: Value, empty: Value): Value {
  if (value.dtype === "string" || countElements(value) === 0) return value;
  const [first, ...rest] = sizesOf(value);
  const list = math.cast(empty, value.dtype);
  if (first === undefined) return math.reshape(math.concat([math.reshape(value, [1]), list], 0), []);
  // the leading 0 is the list's own size
  return math.concat([value, rest.length === 0 ? list : math.reshape(list, [0, ...rest])], 0);
}

function noNodes(scope: string, tape: readonly Node[]): NnError {
  const known = [
    ...new Set(tape.map(({ name }) => name.split("/").slice(0, -1)[0]).filter((name) => name !== undefined)),
  ];
  return new NnError(
    `recompute: expected scopes that nodes of the graph are named by, received "${scope}"; it has ${known.join(", ") || "none"}`,
  );
}
