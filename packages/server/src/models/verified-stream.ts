/** @file Bytes on their way to a client, hashed as they pass. */
import { createHash } from "node:crypto";
import { Transform } from "node:stream";
import { AppError } from "@gristmill/contract";

/** What the disk should have held, and did not. */
export const corruptArtifact = (name: string, expected: string, found: string): AppError =>
  new AppError("artifact.corrupt", `${name}: expected sha256 ${expected}, found ${found}.`, {
    details: { expected_sha256: expected, found_sha256: found },
  });

/**
 * Passes bytes on, always one piece behind: the last piece leaves only when the hash is right, so that a client never
 * holds a whole, wrong file. The stream ends with `artifact.corrupt` otherwise.
 */
export function verifyingStream(name: string, expected: string): Transform {
  const hash = createHash("sha256");
  let held: Buffer | undefined;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      const ready = held;
      held = chunk;
      done(null, ready);
    },
    flush(done) {
      const found = hash.digest("hex");
      if (found === expected) done(null, held);
      else done(corruptArtifact(name, expected, found));
    },
  });
}
