import type { CreateProject, Project } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import type { CallOptions, Transport } from "../http/transport.ts";

/** Projects: what keys, datasets, models and usage belong to. For the admin key only. */
export class Projects {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Project> {
    return new Listing(this.#transport, "/api/projects", options);
  }

  /** @throws GristmillError `project.name_taken`. */
  create(body: CreateProject, options?: CallOptions): Promise<Project> {
    return this.#transport.json({ method: "POST", path: "/api/projects", json: body, ...options });
  }

  /** @param project name or id. @throws GristmillError `project.not_found`. */
  get(project: string, options?: CallOptions): Promise<Project> {
    return this.#transport.json({ method: "GET", path: `/api/projects/${encodeURIComponent(project)}`, ...options });
  }
}
