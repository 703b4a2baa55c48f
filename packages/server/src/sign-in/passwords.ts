/** @file Passwords: argon2id (RFC 9106) in bounded memory, and the same work for accounts that are not there. */
import { type Argon2Parameters, argon2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { AppError } from "@gristmill/contract";
import type { RandomBytes } from "../identity/index.ts";

/** The slow function itself. */
export type Derive = (kind: "argon2id", parameters: Argon2Parameters) => Promise<Buffer>;

/** What one guess costs. Memory in KiB. */
export interface PasswordCost {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** OWASP's first recommendation for argon2id: 19 MiB, two passes, some 30 ms here. */
export const passwordCost: PasswordCost = { memory: 19_456, passes: 2, parallelism: 1 };

/** As many at once: 38 MiB, and threads are left for files and DNS. */
const atOnce = 2;
/** As many wait: at 30 ms each no longer than a second. */
const waitingMost = 64;

const saltLength = 16;
const hashLength = 32;

/** Hashes and compares. */
export class Passwords {
  readonly #random: RandomBytes;
  readonly #cost: PasswordCost;
  readonly #slow: Derive;
  /** Of nobody's password; who has none is compared with it. */
  readonly #decoy: string;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param options tests watch `derive`, and try many passwords at less `cost`. */
  constructor(random: RandomBytes, options: { readonly cost?: PasswordCost; readonly derive?: Derive } = {}) {
    const { cost = passwordCost, derive = promisify(argon2) as Derive } = options;
    this.#random = random;
    this.#cost = cost;
    this.#slow = derive;
    this.#decoy = encode(cost, random(saltLength), random(hashLength));
  }

  /** "$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>". @throws AppError `auth.too_many_attempts`. */
  async hash(password: string): Promise<string> {
    const salt = this.#random(saltLength);
    return encode(this.#cost, salt, await this.#derive(password, this.#cost, salt));
  }

  /** `stored` null: there is no such account, or it has no password; that takes as long as a wrong one. */
  async verify(password: string, stored: string | null): Promise<boolean> {
    const { cost, salt, hash } = decode(stored ?? this.#decoy);
    const derived = await this.#derive(password, cost, salt);
    return timingSafeEqual(derived, hash) && stored !== null;
  }

  /** True for a hash that was made when guesses cost less. */
  isOutdated(stored: string): boolean {
    const { cost } = decode(stored);
    return JSON.stringify(cost) !== JSON.stringify(this.#cost);
  }

  async #derive(password: string, cost: PasswordCost, nonce: Uint8Array): Promise<Buffer> {
    await this.#enter();
    try {
      // One person's "é" may be one character and another keyboard's two.
      return await this.#slow("argon2id", {
        message: password.normalize("NFKC"),
        nonce,
        tagLength: hashLength,
        ...cost,
      });
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running >= atOnce) {
      if (this.#waiting.length >= waitingMost)
        throw new AppError("auth.too_many_attempts", "Too many people sign in at once.", {
          details: { retry_after_ms: 1000 },
        });
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }
}

function encode({ memory, passes, parallelism }: PasswordCost, salt: Uint8Array, hash: Uint8Array): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`;
}

function decode(text: string): { readonly cost: PasswordCost; readonly salt: Buffer; readonly hash: Buffer } {
  const parts = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(text);
  if (parts === null) throw new Error("a stored password is no argon2id hash");
  const [, memory, passes, parallelism, salt = "", hash = ""] = parts;
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
}

/** Without padding, as PHC strings have it. */
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replaceAll("=", "");
