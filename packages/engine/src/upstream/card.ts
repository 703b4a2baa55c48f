/** @file What an upstream tells of its model: `GET models`, completed by what the operator knows. */
import { EngineRunError } from "../errors.ts";
import type { LanguageCard } from "../language/language-engine.ts";
import { readJson } from "./calls/body.ts";
import type { Caller } from "./calls/caller.ts";
import { type DialectName, dialectOfOwner, dialects } from "./dialects.ts";
import { asArray, asObject, asText, firstCount, type JsonObject } from "./json.ts";
import type { UpstreamSettings } from "./options.ts";

/** A model behind an upstream. Numbers that nobody tells are 0, but for the context's length. */
export interface UpstreamCard extends LanguageCard {
  readonly dialect: DialectName;
  /** False: `countTokens` refuses. */
  readonly countsTokens: boolean;
}

/** @throws EngineRunError when the upstream refuses the credentials or can't be reached, or nobody tells the context's length. */
export async function readCard(caller: Caller, settings: UpstreamSettings, signal: AbortSignal): Promise<UpstreamCard> {
  const { name, model, facts = {} } = settings;
  const entry = (await findModel(caller, settings, signal)) ?? {};
  // llama.cpp's server tells what it knows in `meta`.
  const meta = asObject(entry["meta"]);
  const dialect = settings.dialect ?? dialectOfOwner(asText(entry["owned_by"]));
  const contextLength =
    facts.contextLength ??
    firstCount(entry, "max_model_len", "context_length", "context_window", "max_context_length") ??
    firstCount(meta, "n_ctx", "n_ctx_train");
  if (contextLength === undefined)
    throw new EngineRunError(
      `model "${name}": its server does not tell how long the context of ${JSON.stringify(model)} is; set facts.contextLength`,
    );
  const abilities = { complete: true, chat: true, embed: false, rerank: false, images: false, ...facts.abilities };
  return {
    contextLength,
    vocabularySize: facts.vocabularySize ?? firstCount(meta, "n_vocab") ?? 0,
    architecture: facts.architecture ?? "unknown",
    parameters: facts.parameters ?? firstCount(meta, "n_params") ?? 0,
    abilities,
    embeddingLength: abilities.embed ? (facts.embeddingLength ?? firstCount(meta, "n_embd") ?? 0) : 0,
    dialect,
    countsTokens: dialects[dialect].tokenCount !== undefined,
  };
}

/** The entry of the model; undefined where there is no list, or one without it: lists of clouds have not every deployment. */
function findModel(caller: Caller, settings: UpstreamSettings, signal: AbortSignal): Promise<JsonObject | undefined> {
  const call = { target: { from: "base", path: "models" }, passStatuses: noListStatuses } as const;
  return caller.one(
    call,
    async (response, exchange) => {
      if (!response.ok) return undefined;
      const list = await readJson(response, exchange, settings.maxAnswerBytes);
      const models = (asArray(list["data"]) ?? []).map(asObject);
      return models.find((entry) => entry?.["id"] === settings.model || isAlias(entry, settings.model));
    },
    signal,
  );
}

/** Azure's addresses of one deployment have no list, and some gateways none at all. */
const noListStatuses: readonly number[] = [400, 404, 405, 501];

const isAlias = (entry: JsonObject | undefined, model: string): boolean =>
  asArray(entry?.["aliases"])?.includes(model) === true;
