import { openAsBlob } from "node:fs";
import type { Model, ModelVersion } from "@gristmill/contract";
import { download } from "../http/download.ts";
import { Listing, type ListOptions } from "../http/listing.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

const pathOf = (model: string): string => `/api/models/${encodeURIComponent(model)}`;

/** The registry: models and their immutable versions. */
export class Models {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Model> {
    return new Listing(this.#transport, "/api/models", options);
  }

  /** @param model name or id. @throws GristmillError `model.not_found`. */
  get(model: string, options?: CallOptions): Promise<Model> {
    return this.#transport.json({ method: "GET", path: pathOf(model), ...options });
  }

  /** @throws GristmillError `model.in_use`. */
  async delete(model: string, options?: CallOptions): Promise<void> {
    await this.#transport.send({ method: "DELETE", path: pathOf(model), ...options });
  }

  versions(model: string, options?: ListOptions): Listing<ModelVersion> {
    return new Listing(this.#transport, `${pathOf(model)}/versions`, options);
  }

  /** @throws GristmillError `model.version_not_found`. */
  getVersion(model: string, version: number, options?: CallOptions): Promise<ModelVersion> {
    return this.#transport.json({ method: "GET", path: `${pathOf(model)}/versions/${version}`, ...options });
  }

  /** Adds an ONNX or GGUF file as the model's next version; makes the model when it is new. @param source a path, or bytes. */
  async importFile(
    model: string,
    source: string | Uint8Array<ArrayBuffer>,
    options?: PostOptions,
  ): Promise<ModelVersion> {
    const body = typeof source === "string" ? await openAsBlob(source) : source;
    return this.#transport.json({
      method: "POST",
      path: `${pathOf(model)}/versions`,
      body,
      headers: { "content-type": "application/octet-stream" },
      unlimited: true,
      ...options,
    });
  }

  /** The version's bytes as a stream. */
  artifact(model: string, version: number, options?: CallOptions): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    return this.#transport.stream({
      method: "GET",
      path: `${pathOf(model)}/versions/${version}/artifact`,
      headers: { accept: "application/octet-stream" },
      ...options,
    });
  }

  /** Writes the version's bytes to a file, which appears only when it is whole. */
  download(model: string, version: number, file: string, options?: CallOptions): Promise<void> {
    return download(() => this.artifact(model, version, options), file, options);
  }
}
