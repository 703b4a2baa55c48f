import { type GristmillOptions, Transport } from "./http/transport.ts";
import { Datasets } from "./resources/datasets.ts";
import { Deployments } from "./resources/deployments.ts";
import { Health } from "./resources/health.ts";
import { Keys } from "./resources/keys.ts";
import { Models } from "./resources/models.ts";
import { Projects } from "./resources/projects.ts";
import { Runs } from "./resources/runs.ts";
import { Services } from "./resources/services.ts";
import { Prices, Usage } from "./resources/usage.ts";

/**
 * The API of one Gristmill, as one key sees it.
 *
 * @example
 * ```ts
 * const gristmill = new Gristmill({ baseUrl: "http://127.0.0.1:7070", apiKey: process.env["GRISTMILL_KEY"] ?? "" });
 * for await (const run of gristmill.runs.list()) console.log(run.name, run.status);
 * ```
 */
export class Gristmill {
  readonly projects: Projects;
  readonly keys: Keys;
  readonly datasets: Datasets;
  readonly runs: Runs;
  readonly models: Models;
  readonly deployments: Deployments;
  readonly services: Services;
  readonly usage: Usage;
  readonly prices: Prices;
  readonly health: Health;

  /** @throws TypeError when `baseUrl` is no http address. */
  constructor(options: GristmillOptions) {
    const transport = new Transport(options);
    this.projects = new Projects(transport);
    this.keys = new Keys(transport);
    this.datasets = new Datasets(transport);
    this.runs = new Runs(transport);
    this.models = new Models(transport);
    this.deployments = new Deployments(transport);
    this.services = new Services(transport);
    this.usage = new Usage(transport);
    this.prices = new Prices(transport);
    this.health = new Health(transport);
  }
}
