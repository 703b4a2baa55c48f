import { openAsBlob } from "node:fs";
import type { CreateDataset, Dataset, DatasetPreview, PreviewQuery, UploadDataset } from "@gristmill/contract";
import { GristmillError } from "../http/errors.ts";
import { Listing, type ListOptions } from "../http/listing.ts";
import { multipart } from "../http/multipart.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";
import { pollUntil, type WaitOptions } from "./poll.ts";

/** One file of an upload: a path, which is streamed from disk, or bytes. */
export type FileSource = string | Blob;

/** The files of one split. */
export interface SplitFiles {
  readonly images: FileSource;
  readonly labels: FileSource;
}

/** Datasets: named sets of labelled images. */
export class Datasets {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Dataset> {
    return new Listing(this.#transport, "/api/datasets", options);
  }

  /** @param dataset name or id. @throws GristmillError `dataset.not_found`. */
  get(dataset: string, options?: CallOptions): Promise<Dataset> {
    return this.#transport.json({ method: "GET", path: `/api/datasets/${encodeURIComponent(dataset)}`, ...options });
  }

  /** Begins the import of a package; `waitReady` waits for its end. @throws GristmillError `dataset.name_taken`. */
  create(body: CreateDataset, options?: PostOptions): Promise<Dataset> {
    return this.#transport.json({ method: "POST", path: "/api/datasets", json: body, ...options });
  }

  /** Sends files, streamed from disk, and begins their import. @param splits files by the split's name. */
  async upload(
    body: UploadDataset,
    splits: Readonly<Record<string, SplitFiles>>,
    options?: PostOptions,
  ): Promise<Dataset> {
    const parts: Record<string, string | Blob> = { dataset: JSON.stringify(body) };
    for (const [split, files] of Object.entries(splits))
      for (const kind of ["images", "labels"] as const) parts[`${split}.${kind}`] = await blobOf(files[kind]);
    const form = multipart(parts, `gristmill-${crypto.randomUUID()}`);
    return this.#transport.json({ method: "POST", path: "/api/datasets", body: form, unlimited: true, ...options });
  }

  /** Resolves when the import has ended well. @throws GristmillError with the import's own code when it failed. */
  async waitReady(dataset: string, options: WaitOptions<Dataset> = {}): Promise<Dataset> {
    const last = await pollUntil(
      this.#transport,
      () => this.get(dataset, { signal: options.signal }),
      ({ status }) => status !== "importing",
      options,
    );
    if (last.status === "ready") return last;
    throw new GristmillError(last.error?.message ?? `The import of ${last.name} failed.`, {
      code: last.error?.code ?? "client.failed",
      help: `See \`gristmill dataset show ${last.name}\`.`,
    });
  }

  /** Records to look at, each a PNG in base64. */
  preview(dataset: string, query: Partial<PreviewQuery> = {}, options?: CallOptions): Promise<DatasetPreview> {
    const path = `/api/datasets/${encodeURIComponent(dataset)}/preview`;
    return this.#transport.json({ method: "GET", path, query, ...options });
  }

  /** @throws GristmillError `dataset.in_use`. */
  async delete(dataset: string, options?: CallOptions): Promise<void> {
    await this.#transport.send({ method: "DELETE", path: `/api/datasets/${encodeURIComponent(dataset)}`, ...options });
  }
}

async function blobOf(source: FileSource): Promise<Blob> {
  if (typeof source !== "string") return source;
  try {
    return await openAsBlob(source);
  } catch (cause) {
    throw new GristmillError(
      `${source}: can't be read.`,
      { code: "client.failed", help: "Check the path of the file." },
      cause,
    );
  }
}
