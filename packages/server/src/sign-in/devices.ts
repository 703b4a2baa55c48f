/** @file Browsers that have signed in before: others' guesses at an account don't use up their attempts. */
import type { UserId } from "@gristmill/contract";
import type { SecretBox } from "../secrets/index.ts";

const context = "sign-in device";

/** Reads and writes the device cookie: sealed, so that a guesser can't make one. */
export class Devices {
  readonly #parts: { readonly secrets: SecretBox; readonly newToken: () => string };

  constructor(parts: { readonly secrets: SecretBox; readonly newToken: () => string }) {
    this.#parts = parts;
  }

  /** The device's own name, when the cookie is of this account; else undefined. */
  read(cookie: string | undefined, userId: UserId): string | undefined {
    if (cookie === undefined || cookie.length > 1024) return undefined;
    try {
      const [owner, device] = this.#parts.secrets.open(Buffer.from(cookie, "base64url"), context).toString().split(" ");
      return owner === userId ? device : undefined;
    } catch {
      // Of another secret key, or made up: a browser that we don't know.
      return undefined;
    }
  }

  /** A new name for a browser that this account has signed in from. */
  make(userId: UserId): string {
    const { secrets, newToken } = this.#parts;
    return secrets.seal(Buffer.from(`${userId} ${newToken()}`), context).toString("base64url");
  }
}
