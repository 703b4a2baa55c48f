import type { CreateProject, Project, UpdateProject } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

/** Projects of the organization: what keys, datasets, models and usage belong to. */
export class Projects {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Project> {
    return new Listing(this.#transport, "/api/projects", options);
  }

  /** @throws GristmillError `project.name_taken`. */
  create(body: CreateProject, options?: PostOptions): Promise<Project> {
    return this.#transport.post("/api/projects", body, options);
  }

  /** @param project name or id. @throws GristmillError `project.not_found`. */
  get(project: string, options?: CallOptions): Promise<Project> {
    return this.#transport.get(path`/api/projects/${project}`, options);
  }

  /** Changes what is named; `archived: false` takes it back from the archive. */
  update(project: string, body: UpdateProject, options?: CallOptions): Promise<Project> {
    return this.#transport.patch(path`/api/projects/${project}`, body, options);
  }

  /** Its keys are refused from now on; what it holds and used stays to be read. @throws GristmillError `project.is_default`. */
  archive(project: string, options?: PostOptions): Promise<Project> {
    return this.#transport.post(path`/api/projects/${project}/archive`, undefined, options);
  }
}
