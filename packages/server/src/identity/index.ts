/** @file identity: projects and their keys. Rules: README.md. */
import type { ProjectId } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { Authenticator } from "../http/index.ts";
import { KeyAuthenticator } from "./authentication.ts";
import { KeyCache } from "./key-cache.ts";
import { LastUsed } from "./last-used.ts";
import { identityRoutes } from "./routes.ts";
import type { RandomBytes } from "./secret.ts";
import { IdentityService } from "./service.ts";
import { IdentityStore } from "./store.ts";

export { adminKeyFile, homeAdminKey } from "./admin-key.ts";
export type { RandomBytes } from "./secret.ts";

/** What identity is made of. */
export interface IdentityOptions {
  readonly ground: Ground;
  readonly db: Database;
  readonly random: RandomBytes;
  readonly adminKey: string;
}

/** The feature; `start` makes the default project, which the admin key acts in. */
export function createIdentity(options: IdentityOptions): Feature & { readonly authenticator: Authenticator } {
  const { ground, db, random, adminKey } = options;
  const { now, newId, log } = ground;
  const store = new IdentityStore(db);
  const cache = new KeyCache(now);
  const lastUsed = new LastUsed({ store, now, log });
  let projectId: ProjectId | undefined;
  const defaultProjectId = (): ProjectId => {
    if (projectId === undefined) throw new Error("identity has not been started");
    return projectId;
  };
  return {
    routes: identityRoutes(new IdentityService({ store, cache, now, newId, random })),
    authenticator: new KeyAuthenticator({ store, cache, lastUsed, now, adminKey, defaultProjectId }),
    start: async () => {
      projectId = (await store.ensureDefaults({ organization: newId("organization"), project: newId("project") })).id;
    },
    stop: () => lastUsed.settled(),
  };
}
