/** @file Ids with this machine's clock and randomness. */
import { randomFillSync } from "node:crypto";
import { type Id, type IdKind, makeId } from "@gristmill/contract";

/** Makes ids; tests give their own. */
export type NewId = <K extends IdKind>(kind: K) => Id<K>;

/** Bytes of one id. */
const idBytes = 16;

/** The platform's ids. Randomness is fetched for 256 ids at a time: fetched for each it took 2 % of a busy server's time. */
export function createNewId(): NewId {
  const pool = new Uint8Array(256 * idBytes);
  let at = pool.length;
  return <K extends IdKind>(kind: K): Id<K> => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    const id = makeId(kind, Date.now(), pool.subarray(at, at + idBytes));
    at += idBytes;
    return id;
  };
}

/** Ids for everything that this process makes. */
export const newId: NewId = createNewId();
