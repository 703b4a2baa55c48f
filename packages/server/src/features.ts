/** @file Every feature, made of those below it: read from the top, it is the order in which they may know each other. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createAudit } from "./audit/index.ts";
import { createBilling } from "./billing/index.ts";
import { createBudgets } from "./budgets/index.ts";
import type { Children } from "./children/index.ts";
import type { Config } from "./config.ts";
import { createData } from "./data/index.ts";
import type { Database } from "./db/index.ts";
import { createEvents } from "./events/index.ts";
import type { Feature, Ground } from "./feature.ts";
import type { Authenticator, HttpParts } from "./http/index.ts";
import { createIdempotency } from "./idempotency/index.ts";
import { createIdentity } from "./identity/index.ts";
import { createLimits } from "./limits/index.ts";
import { createMetering } from "./metering/index.ts";
import { createModels } from "./models/index.ts";
import { createGuardedFetch } from "./net/index.ts";
import { createNotifications } from "./notifications/index.ts";
import { fileObjectStore } from "./objects/index.ts";
import type { SecretBox } from "./secrets/index.ts";
import { createServices } from "./services/index.ts";
import { createServing } from "./serving/index.ts";
import { createSignIn } from "./sign-in/index.ts";
import { createStorage } from "./storage/index.ts";
import { createTraining } from "./training/index.ts";
import { createUpstreams } from "./upstreams/index.ts";

/** What features stand on. */
export interface FeatureParts {
  readonly config: Config;
  readonly ground: Ground;
  readonly adminKey: string;
  readonly db: Database;
  /** The ledger's own sessions: readers that take all others must not hold up requests. */
  readonly writer: Database;
  readonly children: Children;
  readonly secrets: SecretBox;
  readonly version: string;
  /** Resolves when the database answers. */
  readonly check: () => Promise<void>;
}

/** All features, and what the pipeline needs of them. */
export interface Features {
  /** Each may use what stands before it, so they start in this order and stop in the other. */
  readonly inOrder: readonly Feature[];
  readonly steps: Pick<HttpParts, "authenticator" | "ledger" | "limiter" | "auditTrail" | "idempotency" | "denials">;
}

/** Makes every feature; nothing has started yet. */
export async function createFeatures(parts: FeatureParts): Promise<Features> {
  const { config, ground, adminKey, db, writer, children, secrets, version, check } = parts;
  const { home, smtpUrl, mailFrom } = config;
  const objects = await fileObjectStore(join(home, "objects"));
  const fetch = createGuardedFetch({ allowedAddresses: config.allowedAddresses });
  const smtp = smtpUrl === undefined || mailFrom === undefined ? undefined : { url: smtpUrl, from: mailFrom };

  const identity = createIdentity({ ground, db, random: randomBytes, adminKey });
  const notifications = createNotifications({ ground, db, secrets, fetch, smtp });
  const billing = createBilling({ db, newId: ground.newId });
  const limits = createLimits({ ground, db });
  const budgets = createBudgets({ ground, db, notifications, prices: billing.prices });
  const policy = { prices: billing.prices, rules: [limits.rules, budgets.rules] };
  const metering = createMetering({ db, writer, now: ground.now, log: ground.log, policy });
  const { ledger } = metering;
  const instance = () => metering.instance();
  const audit = createAudit({ ground, db, instance });
  const idempotency = createIdempotency({ ground, db, secrets, instance });
  const signIn = createSignIn({
    ground,
    db,
    random: randomBytes,
    secrets,
    fetch,
    memberships: identity.memberships,
    audit,
    publicUrl: config.publicUrl,
  });
  const events = createEvents({ ground, db, ledger, retentionMonths: config.usageRetentionMonths });
  const storage = createStorage({ ground, db, ledger });
  const data = createData({ ground, db, objects, ledger, storage, home });
  const { datasets } = data;
  const registry = createModels({ ground, db, objects, storage });
  const { models } = registry;
  const { allowedAddresses } = config;
  const upstreams = createUpstreams({ ground, db, secrets, fetch, allowedAddresses });
  const serving = createServing({ ground, db, models, ledger, children, upstreams: upstreams.upstreams });
  const capacity = { busy: () => serving.hasTraffic() };
  const training = createTraining({
    ground,
    db,
    objects,
    datasets,
    models,
    ledger,
    children,
    storage,
    home,
    capacity,
  });
  const services = createServices({
    deployments: serving.deployments,
    version,
    check,
    log: audit.log,
    db,
    ground,
    secrets,
    ledger,
    now: ground.now,
  });

  const authenticator: Authenticator = {
    authenticate: (credentials) =>
      (credentials.key === undefined ? signIn.sessions : identity.authenticator).authenticate(credentials),
  };
  return {
    inOrder: [
      identity,
      metering,
      audit,
      idempotency,
      signIn,
      notifications,
      limits,
      billing,
      budgets,
      events,
      data,
      registry,
      training,
      upstreams,
      serving,
      storage,
      services,
    ],
    steps: {
      authenticator,
      ledger,
      limiter: metering.limiter,
      auditTrail: audit.trail,
      idempotency: idempotency.idempotency,
      denials: audit.denials,
    },
  };
}
