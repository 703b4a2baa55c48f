/** @file Which objects rows name: a backup without one of them would be no backup. */
import { Transform } from "node:stream";
import type { CopySession } from "../db/index.ts";

/** One query for each place that names objects that must exist. A test compares this list with the database's columns. */
const queries = [
  "select images_object as sha256 from dataset_split",
  "select labels_object as sha256 from dataset_split",
  "select sha256 from model_version",
  "select checkpoint->>'sha256' as sha256 from run where checkpoint->>'sha256' is not null",
];

/** The hashes that rows name now, or in the session's snapshot. */
export async function namedObjects(session: CopySession): Promise<ReadonlySet<string>> {
  const rows = await session.query<{ sha256: string }>(queries.join(" union "));
  return new Set(rows.map((row) => row.sha256));
}

/**
 * Passes text on, and calls back for each run of 64 hexadecimal digits: rows may name objects in places of which the
 * list above does not know, such as JSON; what is in the store and looks named is kept.
 */
export function findHashes(onHash: (hash: string) => void): Transform {
  let tail = "";
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      const text = tail + piece.toString("latin1");
      for (const [hash] of text.matchAll(/[0-9a-f]{64}/g)) onHash(hash);
      tail = text.slice(-63);
      done(null, piece);
    },
  });
}
