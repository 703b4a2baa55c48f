/** @file sign-in: people, their sessions, single sign-on. Rules: README.md. Read in this order: sessions, accounts, single-sign-on. */
import type { Audit } from "../audit/index.ts";
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { Authenticator } from "../http/index.ts";
import type { Memberships, RandomBytes } from "../identity/index.ts";
import type { GuardedFetch } from "../net/index.ts";
import type { SecretBox } from "../secrets/index.ts";
import { accountRoutes } from "./account-routes.ts";
import { Accounts } from "./accounts.ts";
import { AttemptStore } from "./attempt-store.ts";
import { Attempts } from "./attempts.ts";
import { Desk } from "./desk.ts";
import { Devices } from "./devices.ts";
import { Journal } from "./journal.ts";
import { OpenId } from "./open-id.ts";
import { Passwords } from "./passwords.ts";
import { providerRoutes } from "./provider-routes.ts";
import { ProviderStore } from "./provider-store.ts";
import { Providers } from "./providers.ts";
import { Provisioning } from "./provisioning.ts";
import { sessionRoutes } from "./session-routes.ts";
import { makeToken } from "./session-token.ts";
import { Sessions } from "./sessions.ts";
import { SingleSignOn } from "./single-sign-on.ts";

/** How often what has expired is deleted. */
const sweepMs = 3_600_000;

/** What sign-in is made of. */
export interface SignInOptions {
  readonly ground: Ground;
  readonly db: Database;
  readonly random: RandomBytes;
  /** Seals providers' secrets and what browsers keep for us. */
  readonly secrets: SecretBox;
  /** To the providers. */
  readonly fetch: GuardedFetch;
  readonly memberships: Memberships;
  readonly audit: Pick<Audit, "record">;
  /** Where browsers reach this server: "https://ai.example.com"; undefined: as each request says. */
  readonly publicUrl: string | undefined;
  /** Default: argon2id at its full cost. */
  readonly passwords?: Passwords;
}

/** The feature; `sessions` knows who a cookie stands for, and asks nothing of a key. */
export function createSignIn(options: SignInOptions): Feature & { readonly sessions: Authenticator } {
  const { ground, db, random, secrets, fetch, memberships, audit, publicUrl } = options;
  const { passwords = new Passwords(random) } = options;
  const { now, newId, log } = ground;
  const states = new AttemptStore(db);
  const attempts = new Attempts({ store: states, now });
  const journal = new Journal({ audit, memberships, log });
  const sessions = new Sessions({ db, memberships, publicUrl, now, newId, random, log });
  const devices = new Devices({ secrets, newToken: () => makeToken(random) });
  const accounts = new Accounts({ db, sessions, passwords, attempts, devices, memberships, journal, newId });
  const openId = new OpenId({ fetch, now });
  const providers = new Providers({ store: new ProviderStore(db), secrets, openId, newId });
  const provisioning = new Provisioning({ db, memberships, journal, newId, now });
  const singleSignOn = new SingleSignOn({
    providers,
    openId,
    provisioning,
    sessions,
    attempts,
    states,
    secrets,
    journal,
    now,
  });
  const desk = new Desk({ accounts, sessions, devices, memberships, publicUrl });
  const sweep = async (): Promise<void> => {
    await sessions.sweep();
    await states.sweep(now());
  };
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void> = Promise.resolve();
  return {
    routes: [
      ...sessionRoutes({ accounts, sessions, desk, publicUrl }),
      ...accountRoutes({ accounts, sessions, desk, publicUrl }),
      ...providerRoutes({ providers, singleSignOn, desk }),
    ],
    sessions,
    start: async () => {
      await sweep();
      timer = setInterval(() => {
        sweeping = sweep().catch((err) => log.warn({ err }, "Expired sessions were not deleted."));
      }, sweepMs);
      timer.unref();
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all([sweeping, sessions.settled(), journal.settled()]);
    },
  };
}
