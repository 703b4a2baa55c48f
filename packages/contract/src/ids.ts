/** @file Ids: a prefix that says what is named, then 26 characters that sort by the time of creation. */

const prefixes = {
  organization: "org",
  project: "prj",
  key: "key",
  dataset: "dst",
  datasetVersion: "dsv",
  run: "run",
  model: "mdl",
  modelVersion: "mdv",
  deployment: "dep",
  revision: "rev",
  replica: "rpl",
  request: "req",
  price: "prc",
  user: "usr",
  session: "ses",
  invitation: "inv",
  serviceAccount: "sva",
  identityProvider: "idp",
  auditEntry: "aud",
  limit: "lim",
  budget: "bud",
  alert: "alr",
  webhook: "whk",
  delivery: "dlv",
  meter: "mtr",
  quarantined: "qtn",
  upstream: "ups",
} as const;

/** What ids name. */
export type IdKind = keyof typeof prefixes;

/** An id of one kind; made only by `makeId`, recognized by `isId`. */
export type Id<K extends IdKind> = `${(typeof prefixes)[K]}_${string}`;

/** An organization. */
export type OrganizationId = Id<"organization">;
/** A person who signs in. */
export type UserId = Id<"user">;
/** A project. */
export type ProjectId = Id<"project">;
/** A project's API key. */
export type KeyId = Id<"key">;
/** A dataset. */
export type DatasetId = Id<"dataset">;
/** A training run. */
export type RunId = Id<"run">;
/** A model of the registry. */
export type ModelId = Id<"model">;
/** A deployment. */
export type DeploymentId = Id<"deployment">;
/** One HTTP request. */
export type RequestId = Id<"request">;

/** Crockford's alphabet: no I, L, O, U; its characters sort as their values do. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const timeLength = 10; // 50 bits: milliseconds until the year 37648
const randomLength = 16; // 80 bits

/**
 * An id from a time and randomness, as ULID orders its bits.
 * @param random at least 16 bytes; the low 5 bits of each are used.
 */
export function makeId<K extends IdKind>(kind: K, timeMs: number, random: Uint8Array): Id<K> {
  if (random.length < randomLength)
    throw new RangeError(`makeId: expected ${randomLength} random bytes, received ${random.length}`);
  let text = "";
  for (let rest = Math.floor(timeMs), i = 0; i < timeLength; i++, rest = Math.floor(rest / 32))
    text = alphabet.charAt(rest % 32) + text;
  for (const byte of random.subarray(0, randomLength)) text += alphabet.charAt(byte & 31);
  return `${prefixes[kind]}_${text}`;
}

/** True when a text has the form of an id of that kind. */
export const isId = <K extends IdKind>(kind: K, text: string): text is Id<K> =>
  text.startsWith(`${prefixes[kind]}_`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(prefixes[kind].length + 1));
