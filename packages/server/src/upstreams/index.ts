/** @file upstreams: models behind other servers. Read in this order: service, store, live-upstream. */
import type { ProjectId } from "@gristmill/contract";
import type { Kysely, Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { CheckedFetch } from "../net/index.ts";
import type { SecretBox } from "../secrets/index.ts";
import { LiveUpstream } from "./live-upstream.ts";
import { upstreamRoutes } from "./routes.ts";
import { UpstreamService } from "./service.ts";
import { UpstreamStore } from "./store.ts";

export type { LiveUpstream } from "./live-upstream.ts";

/** What upstreams are made from. */
export interface UpstreamsDeps {
  readonly ground: Ground;
  readonly db: Database;
  readonly secrets: SecretBox;
  readonly fetch: Pick<CheckedFetch, "check">;
  /** The operator's list, for the connections that calls are made by. */
  readonly allowedAddresses: readonly string[];
  /** How often what answers is probed; default 15,000. */
  readonly probeMs?: number;
}

/** What those who call upstreams need. */
export interface CalledUpstreams {
  /** Those of the names that there are; they stay until the transaction ends. */
  hold(
    transaction: Kysely<unknown> | Transaction<unknown>,
    projectId: ProjectId,
    names: readonly string[],
  ): Promise<readonly { readonly id: string; readonly name: string }[]>;
  /** Connects, for the first who asks; to be given back by `release` as often as asked. */
  acquire(projectId: ProjectId, upstream: { readonly id: string; readonly name: string }): LiveUpstream;
  release(upstreamId: string): Promise<void>;
  /** Who uses an upstream keeps it from being deleted. */
  protect(usersOf: (projectId: ProjectId, upstreamId: string) => Promise<readonly string[]>): void;
}

/** Upstreams with their routes. All deployments that call one share its connections and its limits. */
export function createUpstreams(deps: UpstreamsDeps): Feature & { readonly upstreams: CalledUpstreams } {
  const { ground, db, secrets, fetch, allowedAddresses, probeMs } = deps;
  const live = new Map<string, { readonly upstream: LiveUpstream; users: number }>();
  const service = new UpstreamService({
    ground,
    db,
    secrets,
    fetch,
    onChanged: ({ id }) => live.get(id)?.upstream.renew(),
  });
  const upstreams: CalledUpstreams = {
    hold: (transaction, projectId, names) => new UpstreamStore(transaction).hold(projectId, names),
    protect: (usersOf) => service.protect(usersOf),
    acquire(projectId, { id, name }) {
      const known = live.get(id);
      if (known !== undefined) {
        known.users++;
        return known.upstream;
      }
      const upstream = new LiveUpstream({
        projectId,
        name,
        read: () => service.get(projectId, id),
        allowedAddresses,
        log: ground.log,
        ...(probeMs === undefined ? {} : { probeMs }),
      });
      live.set(id, { upstream, users: 1 });
      return upstream;
    },
    async release(id) {
      const known = live.get(id);
      if (known === undefined || --known.users > 0) return;
      live.delete(id);
      await known.upstream.close();
    },
  };
  return { routes: upstreamRoutes(service), upstreams };
}
