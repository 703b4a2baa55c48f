import type { Classification, ModelMetadata } from "@gristmill/contract";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";
import { type Inference, type InferenceResult, readInference, writeInference } from "../inference/wire.ts";
import { imageType } from "./image-type.ts";

/** Which deployment looks at an image, and how many labels it answers. */
export interface ClassifyOptions extends PostOptions {
  /** A deployment's name; `name@revision` pins one. */
  readonly model: string;
  /** Best first; default 5. */
  readonly top?: number;
}

/** How to send tensors. */
export interface InferOptions extends PostOptions {
  /** A revision of the deployment. */
  readonly version?: string;
  /** "binary" sends and receives raw bytes, several times smaller and faster than JSON; default "json". */
  readonly encoding?: "json" | "binary";
}

/** What callers call: ready-made tasks, and tensors by the Open Inference Protocol. */
export class Services {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Labels of a PNG, JPEG or WebP image, best first. @throws GristmillError `image.unreadable`. */
  async classifyImage(image: Uint8Array<ArrayBuffer> | Blob, options: ClassifyOptions): Promise<Classification> {
    const { model, top, signal, idempotencyKey } = options;
    const head = image instanceof Blob ? await image.slice(0, 16).bytes() : image;
    return this.#transport.json({
      method: "POST",
      path: "/api/services/image-classification",
      query: { model, top },
      body: image,
      headers: { "content-type": imageType(head) },
      signal,
      idempotencyKey,
    });
  }

  /** Runs a model on tensors. @throws GristmillError `engine.input_invalid`, naming the tensor, what was expected and received. */
  async infer(model: string, request: Inference, options: InferOptions = {}): Promise<InferenceResult> {
    const { body, headers } = writeInference(request, options.encoding ?? "json");
    const path = `${pathOf(model, options.version)}/infer`;
    const { signal, idempotencyKey } = options;
    const response = await this.#transport.send({ method: "POST", path, body, headers, signal, idempotencyKey });
    const length = response.headers.get("inference-header-content-length");
    return readInference(new Uint8Array(await response.arrayBuffer()), length === null ? null : Number(length));
  }

  /** Names, types and sizes of a model's inputs and outputs. */
  metadata(model: string, options: CallOptions & { readonly version?: string } = {}): Promise<ModelMetadata> {
    const { signal, version } = options;
    return this.#transport.json({ method: "GET", path: pathOf(model, version), signal });
  }
}

const pathOf = (model: string, version?: string): string =>
  `/v2/models/${encodeURIComponent(model)}${version === undefined ? "" : `/versions/${encodeURIComponent(version)}`}`;
