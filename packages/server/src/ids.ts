/** @file Ids with this machine's clock and randomness. */
import { randomFillSync } from "node:crypto";
import { type Id, type IdKind, makeId } from "@gristmill/contract";

/** Makes ids; tests give their own. */
export type NewId = <K extends IdKind>(kind: K) => Id<K>;

/** The platform's ids. */
export const newId: NewId = (kind) => makeId(kind, Date.now(), randomFillSync(new Uint8Array(16)));
