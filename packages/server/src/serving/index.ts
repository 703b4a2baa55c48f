/** @file serving: deployments, their revisions and replicas. Read in this order: deployments, service, running-deployment, replica-set, replica-slot, replica-process, replica/main. */
import type { Kysely } from "kysely";
import type { Children } from "../children/index.ts";
import type { Feature, Ground } from "../feature.ts";
import type { Ledger } from "../metering/index.ts";
import type { CalledUpstreams } from "../upstreams/index.ts";
import type { Deployments } from "./deployments.ts";
import { Fleet, type ServableModels } from "./fleet.ts";
import { ReplicaMeter } from "./replica-meter.ts";
import { ReplicaStore } from "./replica-store.ts";
import { servingRoutes } from "./routes.ts";
import { ServingService } from "./service.ts";
import { ServingStore } from "./store.ts";

export type {
  Answered,
  AnsweredBy,
  CallOptions,
  CallTimings,
  ClassifyResult,
  CountCall,
  Deployments,
  DescribedDeployment,
  Embedding,
  GenerateCall,
  Generation,
  InferCall,
  InferResult,
  LanguageDeployments,
  Ranking,
  Served,
  TokenCount,
} from "./deployments.ts";
export type { ServableModels } from "./fleet.ts";

/** The registry, as far as serving uses it. */
export interface ServingModels extends ServableModels {
  protect(check: (projectId: string, modelId: string) => Promise<readonly string[]>): void;
}

/** What serving is made from. */
export interface ServingDeps {
  readonly ground: Ground;
  readonly db: Kysely<unknown>;
  readonly models: ServingModels;
  readonly ledger: Ledger;
  readonly children: Children;
  readonly upstreams: CalledUpstreams;
}

/** Deployments with their routes. `start` brings back what should run; `stop` drains and settles. */
export function createServing(deps: ServingDeps): Feature & {
  readonly deployments: Deployments;
  /** True for a minute after a call to any deployment. */
  hasTraffic(): boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
} {
  const { ground, db, models, ledger, children, upstreams } = deps;
  const store = new ServingStore(db);
  const replicas = new ReplicaStore(db);
  const meter = new ReplicaMeter({ store: replicas, ledger, log: ground.log });
  const fleet = new Fleet({ ground, store, replicas, models, meter, children, upstreams });
  const service = new ServingService({ ground, db, models, upstreams, fleet });
  models.protect(async (projectId, modelId) =>
    (await store.usersOf(projectId, modelId)).map((name) => `deployment ${name}`),
  );
  upstreams.protect(async (projectId, upstreamId) =>
    (await store.callersOf(projectId, upstreamId)).map((name) => `deployment ${name}`),
  );
  return {
    deployments: service,
    hasTraffic: () => service.hasTraffic(),
    routes: servingRoutes(service),
    async start() {
      await meter.start();
      await service.start();
    },
    async stop() {
      await service.stop();
      await meter.stop();
    },
  };
}
