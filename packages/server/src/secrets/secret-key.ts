/** @file The secret key of a home: the operator's own, or made once and kept in a file. */
import { join } from "node:path";
import { keyOf } from "./key-file.ts";

/** Name of the file in the home. Who loses it loses what is sealed: a backup of the home needs it too. */
export const secretKeyFile = "secret-key";

/** Bytes of randomness in a key that we make. */
const keyBytes = 32;

/** Reads the key of this home, or makes it. @throws AppError `config.invalid` when the file holds no key. */
export const homeSecretKey = (home: string, random: (count: number) => Uint8Array): Promise<string> =>
  keyOf({
    path: join(home, secretKeyFile),
    make: () => Buffer.from(random(keyBytes)).toString("base64url"),
    // Not made anew: what the lost one has sealed could never be opened again.
    complaint: "does not hold a secret key: restore it from a backup of the home.",
  });
