import type { CreateDeploymentInput, Deployment, UpdateDeployment } from "@gristmill/contract";
import { GristmillError } from "../http/errors.ts";
import { Listing, type ListOptions } from "../http/listing.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";
import { pollUntil, type WaitOptions } from "./poll.ts";

const pathOf = (deployment: string): string => `/api/deployments/${encodeURIComponent(deployment)}`;

/** Deployments: model versions that are being served. */
export class Deployments {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Deployment> {
    return new Listing(this.#transport, "/api/deployments", options);
  }

  /** @param deployment name or id. @throws GristmillError `deployment.not_found`. */
  get(deployment: string, options?: CallOptions): Promise<Deployment> {
    return this.#transport.json({ method: "GET", path: pathOf(deployment), ...options });
  }

  /** Starts replicas; `waitReady` waits until they answer. @throws GristmillError `deployment.name_taken`. */
  create(body: CreateDeploymentInput, options?: PostOptions): Promise<Deployment> {
    return this.#transport.json({ method: "POST", path: "/api/deployments", json: body, ...options });
  }

  /** Changes what is named; another model or other settings make a new revision, which replaces the old one when it is ready. */
  update(deployment: string, body: UpdateDeployment, options?: CallOptions): Promise<Deployment> {
    return this.#transport.json({ method: "PATCH", path: pathOf(deployment), json: body, ...options });
  }

  /** Stops the replicas and removes the deployment. */
  async delete(deployment: string, options?: CallOptions): Promise<void> {
    await this.#transport.send({ method: "DELETE", path: pathOf(deployment), ...options });
  }

  /**
   * Resolves when the newest revision answers with all its replicas; waits 10 minutes unless told otherwise.
   * @throws GristmillError with the deployment's own code when it, or its newest revision, failed.
   */
  async waitReady(deployment: string, options: WaitOptions<Deployment> = {}): Promise<Deployment> {
    const last = await pollUntil(
      this.#transport,
      () => this.get(deployment, { signal: options.signal }),
      (state) => progressOf(state) !== "going on",
      { timeoutMs: 600_000, ...options },
    );
    if (progressOf(last) === "done") return last;
    throw new GristmillError(last.error?.message ?? `The deployment ${last.name} is ${last.status}.`, {
      code: last.error?.code ?? "client.failed",
      help: `See \`gristmill deploy show ${last.name}\`.`,
    });
  }
}

/** How far the newest revision is. One that failed leaves the deployment ready on the older one, and says so in `error`. */
export function progressOf({ status, error, revision, revisions }: Deployment): "going on" | "done" | "failed" {
  if (status === "failed" || status === "unavailable" || status === "stopped" || status === "stopping") return "failed";
  const newest = Math.max(...revisions.map((one) => one.revision));
  const isNewest = revision === null || revision.revision >= newest;
  if (status === "ready" && isNewest) return "done";
  return error !== null && !isNewest ? "failed" : "going on";
}
