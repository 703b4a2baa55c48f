/** @file How a revision's model is served: what was asked for, with what is left out. Pure. */
import { isDeepStrictEqual } from "node:util";
import {
  AppError,
  type Batching,
  batching,
  type GenerationSettings,
  generation,
  type ModelVersion,
  type UpdateDeployment,
} from "@gristmill/contract";
import type { RevisionRow } from "./store.ts";

/** Of one revision; one of the two kinds is null. */
export interface RevisionSettings {
  readonly threads: number;
  readonly batching: Batching | null;
  readonly generation: GenerationSettings | null;
}

/** What a caller may ask for. */
export type SettingsInput = Pick<UpdateDeployment, "threads" | "batching" | "generation">;

/** With defaults. @throws AppError `request.invalid` for settings of the other kind of model. */
export function newSettings(version: ModelVersion, input: SettingsInput): Omit<RevisionSettings, "threads"> {
  checkKind(version, input);
  return version.language === null
    ? { batching: batching.parse(input.batching ?? {}), generation: null }
    : { batching: null, generation: generation.parse(input.generation ?? {}) };
}

/**
 * The settings that a change asks for: fields that it does not name stay. Undefined when nothing changes; the same again,
 * after it failed, is another try.
 * @throws AppError `request.invalid` for settings of the other kind of model.
 */
export function changedSettings(
  before: RevisionRow,
  version: ModelVersion,
  input: SettingsInput,
): RevisionSettings | undefined {
  checkKind(version, input);
  const isGraph = version.language === null;
  const { batching, generation } = newSettings(version, {
    batching: isGraph ? merged(before.batching, input.batching) : undefined,
    generation: isGraph ? undefined : merged(before.generation, input.generation),
  });
  const changed = { threads: input.threads ?? before.threads, batching, generation };
  const { threads, batching: oldBatching, generation: oldGeneration } = before;
  const isSame =
    version.id === before.model_version_id &&
    isDeepStrictEqual(changed, { threads, batching: oldBatching, generation: oldGeneration });
  return isSame && before.state !== "failed" ? undefined : changed;
}

/** PATCH merges: a field that is not named keeps its value. */
function merged<T extends object>(before: T | null, change: Change<T> | undefined): Change<T> {
  const named = Object.entries(change ?? {}).filter(([, value]) => value !== undefined);
  return { ...before, ...(Object.fromEntries(named) as Change<T>) };
}

type Change<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

function checkKind({ language, model }: ModelVersion, input: SettingsInput): void {
  const foreign = language === null ? "generation" : "batching";
  if (input[foreign] === undefined) return;
  const kind = language === null ? "an ONNX graph" : "a language model";
  const message = `${foreign}: "${model}" is ${kind}, which has no such settings.`;
  throw new AppError("request.invalid", message, { details: { param: foreign } });
}
