/** @file identity: organizations, projects, members, service accounts and keys. Rules: README.md. */
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { Authenticator } from "../http/index.ts";
import { invitationRoutes } from "./invitations/routes.ts";
import { InvitationService } from "./invitations/service.ts";
import { InvitationStore } from "./invitations/store.ts";
import { KeyAuthenticator, type RightKey } from "./keys/authentication.ts";
import { KeyCache } from "./keys/key-cache.ts";
import { LastUsed } from "./keys/last-used.ts";
import { keyRoutes } from "./keys/routes.ts";
import { KeyService } from "./keys/service.ts";
import { KeyStore } from "./keys/store.ts";
import { createMemberships, type Memberships } from "./members/memberships.ts";
import { memberRoutes } from "./members/routes.ts";
import { MemberService } from "./members/service.ts";
import { MemberStore } from "./members/store.ts";
import { organizationRoutes } from "./organizations/routes.ts";
import { OrganizationService } from "./organizations/service.ts";
import { type Defaults, OrganizationStore } from "./organizations/store.ts";
import { projectRoutes } from "./projects/routes.ts";
import { ProjectService } from "./projects/service.ts";
import { ProjectStore } from "./projects/store.ts";
import type { RandomBytes } from "./secret.ts";
import { serviceAccountRoutes } from "./service-accounts/routes.ts";
import { ServiceAccountService } from "./service-accounts/service.ts";
import { ServiceAccountStore } from "./service-accounts/store.ts";

export { adminKeyFile, homeAdminKey } from "./admin-key.ts";
export type { Memberships, OpenInvitation, UserMembership } from "./members/memberships.ts";
export type { RandomBytes } from "./secret.ts";

/** What identity is made of. */
export interface IdentityOptions {
  readonly ground: Ground;
  readonly db: Database;
  readonly random: RandomBytes;
  readonly adminKey: string;
}

/** The feature; `start` makes the default organization and project, which the admin key acts in. */
export interface Identity extends Feature {
  /** Knows the admin key and the projects' keys; asked when a request has a key. */
  readonly authenticator: Authenticator;
  /** For sign-in. */
  readonly memberships: Memberships;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes the feature. */
export function createIdentity({ ground, db, random, adminKey }: IdentityOptions): Identity {
  const { now, newId, log } = ground;
  const organizations = new OrganizationStore(db);
  const projects = new ProjectStore(db);
  const members = new MemberStore(db);
  const invitations = new InvitationStore(db);
  const accounts = new ServiceAccountStore(db);
  const keys = new KeyStore(db);
  const cache = new KeyCache<RightKey>(now);
  const lastUsed = new LastUsed({ store: keys, now, log });
  let started: Defaults | undefined;
  const defaults = (): Defaults => {
    if (started === undefined) throw new Error("identity has not been started");
    return started;
  };
  const projectService = new ProjectService({ store: projects, cache, now, newId });
  const among = { projects: projectService, cache, now, newId, random };
  return {
    routes: [
      ...organizationRoutes(new OrganizationService({ store: organizations, newId })),
      ...projectRoutes(projectService),
      ...memberRoutes(new MemberService({ ...among, store: members })),
      ...invitationRoutes(new InvitationService({ ...among, store: invitations, members, keys })),
      ...serviceAccountRoutes(new ServiceAccountService({ ...among, store: accounts })),
      ...keyRoutes(new KeyService({ ...among, store: keys, accounts })),
    ],
    authenticator: new KeyAuthenticator({ keys, projects, organizations, cache, lastUsed, now, adminKey, defaults }),
    memberships: createMemberships({ members, invitations, projects, now }),
    start: async () => {
      started = await organizations.ensureDefaults({ organization: newId("organization"), project: newId("project") });
    },
    stop: () => lastUsed.settled(),
  };
}
