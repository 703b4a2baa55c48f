import type { AcceptInvitation, CreateSession } from "@gristmill/contract";
import { type CallOptions, type GristmillOptions, type SessionCredentials, Transport } from "./http/transport.ts";
import { AuditLog, DeniedAccesses } from "./resources/audit.ts";
import { Budgets } from "./resources/budgets.ts";
import { Datasets } from "./resources/datasets.ts";
import { Deployments } from "./resources/deployments.ts";
import { Corrections, Events, Quarantine } from "./resources/events.ts";
import { Health } from "./resources/health.ts";
import { Keys } from "./resources/keys.ts";
import { Limits } from "./resources/limits.ts";
import { Invitations, Members } from "./resources/members.ts";
import { Meters } from "./resources/meters.ts";
import { Models } from "./resources/models.ts";
import { Organizations } from "./resources/organizations.ts";
import { Prices } from "./resources/prices.ts";
import { Projects } from "./resources/projects.ts";
import { Runs } from "./resources/runs.ts";
import { ServiceAccounts } from "./resources/service-accounts.ts";
import { Services } from "./resources/services.ts";
import { Account, enter, Sessions } from "./resources/sessions.ts";
import { Upstreams } from "./resources/upstreams.ts";
import { Usage } from "./resources/usage.ts";
import { Webhooks } from "./resources/webhooks.ts";

/**
 * The API of one Gristmill, as one key or one person sees it.
 *
 * @example
 * ```ts
 * const gristmill = new Gristmill({ baseUrl: "http://127.0.0.1:7070", apiKey: process.env["GRISTMILL_KEY"] ?? "" });
 * for await (const run of gristmill.runs.list()) console.log(run.name, run.status);
 * ```
 */
export class Gristmill {
  /** Of a person: what another process needs to act as them. Keep it as you would keep a key. */
  readonly session: SessionCredentials | undefined;
  readonly organizations: Organizations;
  readonly projects: Projects;
  readonly members: Members;
  readonly invitations: Invitations;
  readonly serviceAccounts: ServiceAccounts;
  readonly keys: Keys;
  readonly sessions: Sessions;
  readonly account: Account;
  readonly datasets: Datasets;
  readonly runs: Runs;
  readonly models: Models;
  readonly deployments: Deployments;
  readonly services: Services;
  readonly usage: Usage;
  readonly events: Events;
  readonly meters: Meters;
  readonly quarantine: Quarantine;
  readonly corrections: Corrections;
  readonly prices: Prices;
  readonly limits: Limits;
  readonly budgets: Budgets;
  readonly upstreams: Upstreams;
  readonly webhooks: Webhooks;
  readonly auditLog: AuditLog;
  readonly deniedAccesses: DeniedAccesses;
  readonly health: Health;

  /** @throws TypeError when `baseUrl` is no http address. */
  constructor(options: GristmillOptions) {
    const transport = new Transport(options);
    this.session = options.session;
    this.organizations = new Organizations(transport);
    this.projects = new Projects(transport);
    this.members = new Members(transport);
    this.invitations = new Invitations(transport);
    this.serviceAccounts = new ServiceAccounts(transport);
    this.keys = new Keys(transport);
    this.sessions = new Sessions(transport);
    this.account = new Account(transport);
    this.datasets = new Datasets(transport);
    this.runs = new Runs(transport);
    this.models = new Models(transport);
    this.deployments = new Deployments(transport);
    this.services = new Services(transport);
    this.usage = new Usage(transport);
    this.events = new Events(transport);
    this.meters = new Meters(transport);
    this.quarantine = new Quarantine(transport);
    this.corrections = new Corrections(transport);
    this.prices = new Prices(transport);
    this.limits = new Limits(transport);
    this.budgets = new Budgets(transport);
    this.upstreams = new Upstreams(transport);
    this.webhooks = new Webhooks(transport);
    this.auditLog = new AuditLog(transport);
    this.deniedAccesses = new DeniedAccesses(transport);
    this.health = new Health(transport);
  }

  /** A client that acts as a person, by e-mail address and password, until `sessions.signOut()`. @throws GristmillError `auth.sign_in_failed`. */
  static async signIn(options: PersonOptions, person: CreateSession, call?: CallOptions): Promise<Gristmill> {
    return new Gristmill({ ...options, session: await enter(new Transport(options), "/api/sessions", person, call) });
  }

  /** The same for a new person, whom an invitation's token, a name and a password make. @throws GristmillError `invitation.not_found`. */
  static async join(options: PersonOptions, person: AcceptInvitation, call?: CallOptions): Promise<Gristmill> {
    const session = await enter(new Transport(options), "/api/invitations/accept", person, call);
    return new Gristmill({ ...options, session });
  }
}

/** How to call as somebody who is not signed in yet. */
export type PersonOptions = Omit<GristmillOptions, "apiKey" | "session">;
