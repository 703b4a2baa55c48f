/** @file OpenAI's responses. Read in this order: create-route, request, input-messages, writer, frames, store, background. */
import type { Database } from "../../../db/index.ts";
import type { Feature, Ground } from "../../../feature.ts";
import type { SecretBox } from "../../../secrets/index.ts";
import type { LanguageModels } from "../language-models.ts";
import { type BackgroundDeps, BackgroundResponses } from "./background.ts";
import { createResponseRoute } from "./create-route.ts";
import { ResponseStore } from "./store.ts";
import { storedResponseRoutes } from "./stored-routes.ts";

/** What responses are made of. */
export interface ResponsesParts extends Pick<BackgroundDeps, "ledger"> {
  readonly ground: Pick<Ground, "now" | "log">;
  readonly deployments: LanguageModels;
  readonly db: Database;
  readonly secrets: SecretBox;
}

/** How often responses that are too old are removed, and how many at once. */
const sweepMs = 3_600_000;
const removedAtOnce = 1000;

/** The routes; `start` fails what a killed server left and removes what is too old; `stop` ends what is under way. */
export function createResponses({ deployments, db, secrets, ledger, ground: { now, log } }: ResponsesParts): Feature & {
  start(): Promise<void>;
  stop(): Promise<void>;
} {
  const store = new ResponseStore(db, secrets);
  const background = new BackgroundResponses({ models: deployments, store, ledger, now, log });
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void> = Promise.resolve();
  const sweep = async (): Promise<void> => {
    try {
      while ((await store.removeExpired(removedAtOnce)) === removedAtOnce);
    } catch (error) {
      log.warn({ err: error }, "Old responses were not removed; tried again later.");
    }
  };
  return {
    routes: [
      createResponseRoute({ models: deployments, store, background, now }),
      ...storedResponseRoutes(store, background),
    ],
    async start() {
      const failed = await store.failInterrupted();
      if (failed > 0) log.warn({ responses: failed }, "Background responses of a killed server have failed.");
      const again = (): void => {
        sweeping = sweeping.then(sweep);
      };
      again();
      timer = setInterval(again, sweepMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await background.stop();
      await sweeping;
    },
  };
}
