/** @file The text of docs/layers.md: every layer, activation, loss ... with its settings, from the tables and docstrings. */
import { join } from "node:path";
import { activations } from "../../activations/table.ts";
import { loraKind } from "../../imported/lora.ts";
import { onnxKind } from "../../imported/onnx-layer.ts";
import { initializers } from "../../initializers/table.ts";
import type { LayerKind } from "../../layers/define-layer.ts";
import { layerKinds } from "../../layers/table.ts";
import { losses } from "../../losses/table.ts";
import { metrics } from "../../metrics/table.ts";
import { optimizers } from "../../optimizers/table.ts";
import { quantizationAwareKind } from "../../quantization/quantization-aware.ts";
import { regularizers } from "../../regularizers/table.ts";
import { schedules } from "../../schedules/table.ts";
import type { Field, Fields, Json } from "../../schema/field.ts";
import { subModelKind } from "../../spec/sub-model.ts";
import { type Documented, docstringsIn } from "./docstrings.ts";
import { kerasName } from "./keras-names.ts";
import { type Probe, probe } from "./mask-probe.ts";

/** What every table of kinds has. */
type Described = { readonly type: string; readonly fields: Fields };

const source = join(import.meta.dirname, "../..");
const tables = { activations, losses, metrics, optimizers, schedules, initializers, regularizers };

/** Layers that stand beside the table: the function that makes them, and its settings, which are not those of the JSON. */
const besides: readonly { readonly kind: LayerKind; readonly name: string; readonly fields: Fields }[] = [
  { kind: subModelKind, name: "subModel", fields: subModelKind.fields },
  {
    kind: onnxKind,
    name: "onnxLayer",
    fields: {
      model: said("an ONNX model, read with decodeModel or readModelFile of @gristmill/onnx"),
      trainableWeights: said("patterns of names: the last that fits decides, and ! takes names away", ["*"]),
      outputs: said("names of values within the graph, in place of its outputs", []),
    },
  },
  {
    kind: loraKind,
    name: "lora",
    fields: {
      layer: said("a layer with weights of two or more axes"),
      rank: said("a whole number from 1", 8),
      alpha: said("a number above 0", "rank"),
      targets: said("patterns of names of weights", ["*"]),
    },
  },
  {
    kind: quantizationAwareKind,
    name: "quantizationAware",
    fields: {
      layer: said("a layer with weights of products, convolutions or tables of rows"),
      bits: said("a whole number from 2 to 8", 8),
      targets: said("patterns of names of weights", ["*"]),
      outputs: said("true or false", false),
    },
  },
];

/** A setting of a function as the page tells it. */
function said(expected: string, fallback?: Json): Field {
  return { expected, ...(fallback === undefined ? {} : { fallback }), read: () => undefined };
}

/** Layers by the folder that their function is in, with a title for each. */
const groups: Readonly<Record<string, string>> = {
  core: "Basics: dense, shapes, masks, activations as layers",
  merge: "Merging",
  convolution: "Convolutions",
  pooling: "Pooling",
  image: "Sizes of images",
  recurrent: "Recurrent",
  normalization: "Normalization",
  noise: "Noise and penalties",
  embedding: "Embeddings and positions",
  attention: "Attention",
  transformer: "Transformers",
  models: "Models as layers",
};

const inCell = (text: string): string => text.replaceAll("|", "\\|");

/** A default as code: {"type": "zeros"} is its name alone. */
function shownDefault(value: Json): string {
  const isKind = typeof value === "object" && value !== null && "type" in value;
  if (isKind && Object.keys(value).length === 1) return String(value["type"]);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Settings with one meaning wherever they stand, told once. */
function sharedFields(kinds: readonly Described[]): ReadonlyMap<string, string> {
  const meanings = new Map<string, string[]>();
  for (const { fields } of kinds)
    for (const [name, { expected }] of Object.entries(fields))
      meanings.set(name, [...(meanings.get(name) ?? []), expected]);
  return new Map(
    [...meanings].flatMap(([name, all]): [string, string][] => {
      const [first = ""] = all;
      return all.length > 2 && new Set(all).size === 1 ? [[name, first]] : [];
    }),
  );
}

function setting(name: string, { expected, fallback }: Field, shared: ReadonlyMap<string, string>): string {
  const value = fallback === undefined ? `**\`${name}\`**` : `\`${name}\` = \`${shownDefault(fallback)}\``;
  return shared.has(name) || typeof fallback === "boolean" ? value : `${value} (${expected})`;
}

const settings = (fields: Fields, shared: ReadonlyMap<string, string>): string =>
  inCell(
    Object.entries(fields)
      .map(([name, field]) => setting(name, field, shared))
      .join("; "),
  );

const sharedTable = (shared: ReadonlyMap<string, string>): string =>
  `| setting | expects |\n|---|---|\n${[...shared]
    .sort(([a], [b]) => a.localeCompare(b, "en"))
    .map(([name, expected]) => `| \`${name}\` | ${inCell(expected)} |`)
    .join("\n")}`;

const countOf = ([least, most]: Probe["inputs"]): string => {
  if (least === most) return String(least);
  return most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;
};

function says(kind: string, name: string, documented: ReadonlyMap<string, Documented>): Documented {
  const found = documented.get(name);
  if (found === undefined) throw new Error(`${kind} ${name}: expected an exported thing of this name with a docstring`);
  return found;
}

function layerSections(): string {
  const documented = docstringsIn(join(source, "layers"));
  const others = new Map(
    ["imported", "spec", "quantization"].flatMap((folder) => [...docstringsIn(join(source, folder))]),
  );
  const kinds = [...layerKinds.values()].filter(({ type }) => documented.has(type));
  const shared = sharedFields(kinds);
  const rows = new Map<string, string[]>();
  const add = (
    folder: string,
    kind: LayerKind,
    name: string,
    { sentence, masks }: Documented,
    fields: Fields,
  ): void => {
    // the shapes of an imported model are its own: there is nothing to try, and its outputs have no mask
    const tried: Probe = kind === onnxKind ? { inputs: [1, Number.POSITIVE_INFINITY], mask: "ends" } : probe(kind);
    const cells = [
      `\`${name}\`${kerasName("layers", kind.type)}`,
      inCell(masks === "" ? sentence : `${sentence} Masks: ${masks}.`),
      countOf(tried.inputs),
      tried.mask,
      settings(fields, shared),
    ];
    rows.set(folder, [...(rows.get(folder) ?? []), `| ${cells.join(" | ")} |`]);
  };
  for (const kind of kinds) {
    const told = says("layer", kind.type, documented);
    add(told.folder, kind, kind.type, told, kind.fields);
  }
  for (const { kind, name, fields } of besides) add("models", kind, name, says("layer", name, others), fields);
  const sections = Object.entries(groups).map(
    ([folder, title]) =>
      `### ${title}\n\n| layer | does | inputs | mask | settings |\n|---|---|---|---|---|\n${(rows.get(folder) ?? []).join("\n")}`,
  );
  const unknown = [...rows.keys()].filter((folder) => !(folder in groups));
  if (unknown.length > 0) throw new Error(`layers/${unknown.join(", ")}: expected a title in groups`);
  return `These settings mean the same in every layer (a setting whose default is \`true\` or \`false\` expects one of these):\n\n${sharedTable(shared)}\n\n${sections.join("\n\n")}`;
}

function kindSection(noun: keyof typeof tables): string {
  const documented = docstringsIn(join(source, noun));
  // by name: a table may hold a whole module's exports, whose order differs between runtimes
  const kinds: readonly Described[] = Object.values<Described>(tables[noun]).sort((a, b) =>
    a.type.localeCompare(b.type, "en"),
  );
  const shared = sharedFields(kinds);
  const rows = kinds.map(
    ({ type, fields }) =>
      `| \`${type}\`${kerasName(noun, type)} | ${inCell(says(noun, type, documented).sentence)} | ${settings(fields, shared)} |`,
  );
  const common = shared.size === 0 ? "" : `${sharedTable(shared)}\n\n`;
  return `## ${noun[0]?.toUpperCase()}${noun.slice(1)}\n\n${common}| name | does | settings |\n|---|---|---|\n${rows.join("\n")}`;
}

/** The text of docs/layers.md. */
export const referenceDocument = (): string => `# Layers and what goes with them

Everything that a model's description may name, made from the tables of \`packages/nn\` and the docstrings beside them by
\`node scripts/layers-doc.ts\`; a test compares the two. Gradients and shape rules of operators are in \`operators.md\`.

Names and settings are Keras' in camelCase (\`Conv2D(kernel_size=3)\` is \`conv2d\` with \`kernelSize\`); where Keras has another name,
or none, the name says so: *Keras: X*, *ours*. Settings in bold are required; the others show their default. Beside them every
layer takes \`name\`, \`inputShape\` and \`trainable\`.

- **inputs**: how many values it is applied to.
- **mask**: what becomes of a mask [batch, steps] on its first input, with the settings as they are by default. *passes*: the answer
  has a mask; *ends*: the answer has none; *refused*: an error says so, because padding would count as data.

An activation, initializer, regularizer, loss, metric, optimizer or schedule is written by its name (\`"relu"\`), with settings as
\`{ type: "leakyRelu", negativeSlope: 0.1 }\`, or in TypeScript as what its function makes: \`activations.leakyRelu({ negativeSlope: 0.1 })\`;
optimizers, schedules, \`l1\`, \`l2\` and \`l1L2\` are exported by themselves too.

## Layers

${layerSections()}

${(["activations", "losses", "metrics", "optimizers", "schedules", "initializers", "regularizers"] as const).map(kindSection).join("\n\n")}
`;
