/** @file The admin key of a home: the operator's own, or made once and kept in a file. */
import { join } from "node:path";
import { keyOf } from "../secrets/index.ts";
import { makeAdminKey, type RandomBytes } from "./secret.ts";

/** Name of the file in the home. */
export const adminKeyFile = "admin-key";

/** Reads the key of this home, or makes it. @throws AppError `config.invalid` when the file holds no key. */
export const homeAdminKey = (home: string, random: RandomBytes): Promise<string> =>
  keyOf({
    path: join(home, adminKeyFile),
    make: () => makeAdminKey(random),
    complaint: "does not hold an admin key: delete it and a new one is made.",
  });
