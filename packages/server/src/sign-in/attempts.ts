/**
 * @file How often one may try to get in: leaky buckets in the database, so that all servers count together. Nobody is locked out:
 * buckets drain by themselves, and a browser that has signed in before has one of its own.
 */
import { createHash } from "node:crypto";
import { AppError } from "@gristmill/contract";
import ipaddr from "ipaddr.js";
import type { AttemptStore } from "./attempt-store.ts";

/** A bucket takes `burst` attempts and drains one in `drainMs`. */
export interface Bucket {
  readonly burst: number;
  readonly drainMs: number;
}

/** One network address, whatever accounts it tries. */
const ofAddress: Bucket = { burst: 30, drainMs: 6_000 };
/** One account from one address. */
const ofAddressAndAccount: Bucket = { burst: 10, drainMs: 60_000 };
/** One account from everywhere: 14,400 guesses a day at most. */
const ofAccount: Bucket = { burst: 100, drainMs: 6_000 };
/** One account from a browser that has signed in to it. */
const ofDevice: Bucket = { burst: 10, drainMs: 60_000 };

/** Who tries. */
export interface Attempt {
  readonly address: string;
  /** In lower case; accounts that don't exist are counted alike. */
  readonly email: string;
  /** Of a device cookie that belongs to this account. */
  readonly device: string | undefined;
}

/** Counts attempts. */
export class Attempts {
  readonly #store: AttemptStore;
  readonly #now: () => Date;

  constructor(parts: { readonly store: AttemptStore; readonly now: () => Date }) {
    this.#store = parts.store;
    this.#now = parts.now;
  }

  /** Counts a guess of a password, before it is looked at. @throws AppError `auth.too_many_attempts`. */
  async guess({ address, email, device }: Attempt): Promise<void> {
    await this.visit(address);
    if (device !== undefined) return await this.#take(`device ${device} ${email}`, ofDevice);
    await this.#take(`address ${networkOf(address)} account ${email}`, ofAddressAndAccount);
    await this.#take(`account ${email}`, ofAccount);
  }

  /** Counts any other way in. @throws AppError `auth.too_many_attempts`. */
  async visit(address: string): Promise<void> {
    await this.#take(`address ${networkOf(address)}`, ofAddress);
  }

  /** The guess was right: the account's own buckets are empty again, so that typing errors of the past don't add up. */
  async succeeded({ address, email, device }: Attempt): Promise<void> {
    const subject =
      device === undefined ? `address ${networkOf(address)} account ${email}` : `device ${device} ${email}`;
    await this.#store.forget(hashOf(subject));
  }

  async #take(subject: string, bucket: Bucket): Promise<void> {
    const now = this.#now();
    const drainedAt = await this.#store.take(hashOf(subject), bucket, now);
    if (drainedAt === undefined) return;
    // The bucket takes another one when it is as full as `burst - 1`.
    const waitMs = drainedAt.getTime() - now.getTime() - (bucket.burst - 1) * bucket.drainMs;
    throw new AppError("auth.too_many_attempts", "Too many attempts to sign in.", {
      details: { retry_after_ms: Math.max(1, waitMs) },
    });
  }
}

const hashOf = (subject: string): Buffer => createHash("sha256").update(subject).digest();

/** An IPv6 customer has 2^64 addresses: they count as one. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(":") : parsed.toString();
}
