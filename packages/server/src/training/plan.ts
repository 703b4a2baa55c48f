/** @file Checks a whole request against its dataset and says what will be trained. Pure: no weights, no native code. */
import { AppError, type CreateRun } from "@gristmill/contract";
import { type CompileSpec, type ModelSpec, modelSizes, parseCompileSpec, parseSpec, SpecError } from "@gristmill/nn";
import type { PinnedDataset } from "../data/index.ts";
import { type LabelEncoding, labelEncoding } from "./labels.ts";

/** What a run keeps of its dataset and its model, so that it stays true whatever happens to either. */
export interface RunPlan {
  readonly dataset: { readonly name: string; readonly version: number; readonly licence: string | null };
  /** [height, width, channels] */
  readonly recordShape: readonly number[];
  readonly classNames: readonly string[];
  readonly trainRecords: number;
  /** null: nothing is evaluated after the last epoch. */
  readonly testRecords: number | null;
  /** With every setting written out. */
  readonly spec: ModelSpec;
  readonly compile: CompileSpec;
  readonly encoding: LabelEncoding;
  /** Numbers that training changes. */
  readonly parameters: number;
}

/** Weights, two moments of Adam and gradients of so many parameters take 4 GiB; an ONNX file holds no more than 2 GiB. */
const mostParameters = 2 ** 28;

interface Problem {
  /** "spec.layers[2] (dense_1)", "fit.validation_split", "train_split" */
  readonly where: string;
  readonly message: string;
}

/** @throws AppError `spec.invalid`, or `request.invalid` when the spec is right, with every problem in `details.problems`. */
export function planRun(request: CreateRun, pinned: PinnedDataset): RunPlan {
  const { version } = pinned;
  const specProblems: Problem[] = [];
  const spec = attempt("spec.", specProblems, () => parseSpec(request.spec));
  const sizes = spec && attempt("spec.", specProblems, () => modelSizes(spec));
  const compile = attempt("compile.", specProblems, () => parseCompileSpec(request.compile, spec));
  const classes = version.class_names.length;
  let encoding: LabelEncoding | undefined;
  if (sizes !== undefined) {
    if (sizes.inputShape.join() !== version.record_shape.join())
      specProblems.push({
        where: "spec.inputShape",
        message: `expected [${version.record_shape.join(", ")}], the dataset's records, received [${sizes.inputShape.join(", ")}]`,
      });
    if (sizes.parameterCount > mostParameters)
      specProblems.push({
        where: "spec.layers",
        message: `expected at most ${mostParameters} parameters, received ${sizes.parameterCount}`,
      });
    for (const [ends, what] of [
      [sizes.inputs, "inputs"],
      [sizes.outputs, "outputs"],
    ] as const)
      if (ends.length > 1)
        specProblems.push({
          where: `spec.${what}`,
          message: `expected one, as a dataset has records and classes, received ${ends.length} (${ends.map(({ name }) => name).join(", ")})`,
        });
    const loss: unknown = compile?.loss["type"];
    const fitting = typeof loss === "string" ? labelEncoding(loss, sizes.outputShape, classes) : undefined;
    if (fitting !== undefined && "problem" in fitting)
      specProblems.push({ where: `spec.layers[${(spec?.layers.length ?? 1) - 1}]`, message: fitting.problem });
    else encoding = fitting?.encoding;
  }
  const requestProblems = splitProblems(request, pinned);
  const problems = [...specProblems, ...requestProblems];
  if (
    problems.length > 0 ||
    spec === undefined ||
    sizes === undefined ||
    compile === undefined ||
    encoding === undefined
  )
    throw new AppError(
      specProblems.length > 0 ? "spec.invalid" : "request.invalid",
      problems.map(({ where, message }) => `${where}: ${message}`).join("; "),
      { details: { problems } },
    );
  return {
    dataset: { name: pinned.name, version: version.version, licence: pinned.licence },
    recordShape: version.record_shape,
    classNames: version.class_names,
    trainRecords: recordsOf(pinned, request.train_split) ?? 0,
    testRecords: request.test_split === null ? null : (recordsOf(pinned, request.test_split) ?? 0),
    spec,
    compile,
    encoding,
    parameters: sizes.parameterCount,
  };
}

/** The value, or undefined after its problems were noted. */
function attempt<T>(prefix: string, problems: Problem[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    for (const { where, message } of error.problems)
      problems.push({ where: where.startsWith(prefix.slice(0, -1)) ? where : `${prefix}${where}`, message });
    return undefined;
  }
}

function splitProblems({ train_split, test_split, fit }: CreateRun, pinned: PinnedDataset): Problem[] {
  const problems: Problem[] = [];
  const names = pinned.version.splits.map(({ name }) => name).join(", ");
  const train = recordsOf(pinned, train_split);
  if (train === undefined)
    problems.push({ where: "train_split", message: `expected one of ${names}, received "${train_split}"` });
  if (test_split !== null && recordsOf(pinned, test_split) === undefined)
    problems.push({
      where: "test_split",
      message: `expected one of ${names}, or null to evaluate nothing, received "${test_split}"`,
    });
  if (train === undefined || fit.validation_split === 0) return problems;
  // As the network library counts: the last records are held back.
  const trained = Math.floor(train * (1 - fit.validation_split));
  if (trained < 1 || trained === train)
    problems.push({
      where: "fit.validation_split",
      message: `expected a share that leaves records on both sides of ${train}, received ${fit.validation_split}`,
    });
  return problems;
}

const recordsOf = ({ version }: PinnedDataset, split: string): number | undefined =>
  version.splits.find(({ name }) => name === split)?.records;
