/** @file People: getting in by password, changing one's own account, accepting an invitation. */
import { type AcceptInvitation, AppError, type CreateSession, type UpdateUser, type UserId } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { Memberships } from "../identity/index.ts";
import type { NewId } from "../ids.ts";
import type { Attempts } from "./attempts.ts";
import type { Devices } from "./devices.ts";
import type { Journal } from "./journal.ts";
import type { Passwords } from "./passwords.ts";
import type { BegunSession, Sessions } from "./sessions.ts";
import { SignInStore, type UserRow } from "./store.ts";
import type { Visit } from "./visit.ts";

/** What accounts need. */
export interface AccountParts {
  readonly db: Database;
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly attempts: Attempts;
  readonly devices: Devices;
  readonly memberships: Pick<Memberships, "findInvitation" | "acceptInvitation">;
  readonly journal: Journal;
  readonly newId: NewId;
}

/** Who got in, and by which session. */
export interface SignedIn {
  readonly user: UserRow;
  readonly session: BegunSession;
}

/** People and their passwords. */
export class Accounts {
  readonly #parts: AccountParts;
  readonly #store: SignInStore;

  constructor(parts: AccountParts) {
    this.#parts = parts;
    this.#store = new SignInStore(parts.db);
  }

  /**
   * An unknown address, one without a password and a wrong password cost the same work and are told in the same words.
   * @throws AppError `auth.sign_in_failed`, `auth.too_many_attempts`.
   */
  async signIn({ email, password }: CreateSession, visit: Visit): Promise<SignedIn> {
    const { passwords, attempts, sessions, devices, journal } = this.#parts;
    const user = await this.#store.findUserByEmail(email);
    const device = user === undefined ? undefined : devices.read(visit.device, user.id);
    const attempt = { address: visit.address, email, device };
    await attempts.guess(attempt);
    const isRight = await passwords.verify(password, user?.password ?? null);
    if (user === undefined || !isRight) {
      if (user !== undefined) journal.tellOfFailure(visit, user.id);
      throw wrong();
    }
    await attempts.succeeded(attempt);
    const stored = await this.#renew(user, password);
    const session = await sessions.begin(user.id, visit);
    // A new password ends all sessions but those that begin while it is being set: this one began with the old.
    if ((await this.#store.findUser(user.id))?.password !== stored) {
      await sessions.end(user.id, session.row.id);
      throw wrong();
    }
    await this.#tellSignedIn(user.id, session, visit);
    return { user, session };
  }

  /** @throws AppError `auth.invalid` when the account is gone. */
  async get(userId: UserId): Promise<UserRow> {
    const user = await this.#store.findUser(userId);
    if (user !== undefined) return user;
    throw new AppError("auth.invalid", "This account is gone.");
  }

  /**
   * A new password ends all other sessions: whoever stole one is out.
   * @throws AppError `auth.sign_in_failed` for a wrong current password, `auth.too_many_attempts`.
   */
  async update(userId: UserId, { name, password }: UpdateUser, visit: Visit, sessionId: string): Promise<UserRow> {
    const { passwords, attempts, devices, journal } = this.#parts;
    const user = await this.get(userId);
    if (password === undefined) return name === undefined ? user : await this.#store.updateUser(userId, { name });
    const attempt = { address: visit.address, email: user.email, device: devices.read(visit.device, userId) };
    await attempts.guess(attempt);
    if (!(await passwords.verify(password.current, user.password)))
      throw new AppError("auth.sign_in_failed", "The current password is wrong.");
    await attempts.succeeded(attempt);
    const hash = await passwords.hash(password.new);
    const changed = await this.#parts.db.transaction().execute(async (transaction) => {
      const store = new SignInStore(transaction);
      await store.deleteSessions(userId, { but: sessionId });
      return await store.updateUser(userId, { password: hash, ...(name === undefined ? {} : { name }) });
    });
    await journal.tell(visit, { of: userId, action: "password.changed", targetId: userId });
    return changed;
  }

  /**
   * Makes the invited address's account and signs it in, or adds the organization to the account that is signed in.
   * @throws AppError `invitation.not_found`, `invitation.other_address`, `user.email_taken`, `request.invalid`,
   *   `auth.too_many_attempts`.
   */
  async accept(input: AcceptInvitation, visit: Visit, signedInAs: UserId | undefined): Promise<SignedIn> {
    const { sessions, attempts } = this.#parts;
    await attempts.visit(visit.address);
    const userId = signedInAs ?? (await this.#newUser(input, visit));
    if (signedInAs !== undefined) await this.#join(input.token, signedInAs, visit);
    // Also for who was signed in: more is open to this person now, so whoever knew the old token does not get it too.
    const session = await sessions.begin(userId, visit);
    await this.#tellSignedIn(userId, session, visit);
    return { user: await this.get(userId), session };
  }

  async #newUser({ token, name, password }: AcceptInvitation, visit: Visit): Promise<UserId> {
    const { memberships, passwords, db, newId, journal } = this.#parts;
    const invitation = await memberships.findInvitation(token);
    if (invitation === undefined) throw new AppError("invitation.not_found", "There is no such open invitation.");
    if (name === undefined || password === undefined)
      throw new AppError("request.invalid", "body: a new account needs name and password; who has one signs in first.");
    const hash = await passwords.hash(password);
    return await db.transaction().execute(async (transaction) => {
      const { email } = invitation;
      const account = { id: newId("user"), email, name, password: hash, email_verified_at: null };
      const user = await new SignInStore(transaction).insertUserIfAbsent(account);
      if (user === undefined) throw new AppError("user.email_taken", "The invited address has an account.");
      const { organizationId, id } = await memberships.acceptInvitation(transaction, token, user.id);
      const told = { organizationId, of: user.id };
      await journal.tellOne(visit, { ...told, action: "user.created", targetId: user.id }, transaction);
      await journal.tellOne(visit, { ...told, action: "invitation.accepted", targetId: id }, transaction);
      return user.id;
    });
  }

  async #join(token: string, userId: UserId, visit: Visit): Promise<void> {
    const { memberships, db, journal } = this.#parts;
    await db.transaction().execute(async (transaction) => {
      const { organizationId, id } = await memberships.acceptInvitation(transaction, token, userId);
      const told = { organizationId, of: userId, action: "invitation.accepted", targetId: id } as const;
      await journal.tellOne(visit, told, transaction);
    });
  }

  async #tellSignedIn(userId: UserId, { row }: BegunSession, visit: Visit): Promise<void> {
    await this.#parts.journal.tell(visit, { of: userId, action: "login.succeeded", targetId: row.id });
  }

  /** A hash of a time when guesses cost less is made anew while the password is at hand. Returns what is stored now. */
  async #renew(user: UserRow, password: string): Promise<string | null> {
    const { passwords } = this.#parts;
    if (user.password === null || !passwords.isOutdated(user.password)) return user.password;
    const renewed = await passwords.hash(password);
    return (await this.#store.replacePassword(user.id, { from: user.password, to: renewed })) ? renewed : user.password;
  }
}

const wrong = (): AppError => new AppError("auth.sign_in_failed", "The e-mail address or the password is wrong.");
