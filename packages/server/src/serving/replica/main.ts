/** @file The entry of a replica process: one model, one engine, one queue. */
import { Batcher, EngineInputError, type InferOptions, loadOnnxEngine } from "@gristmill/engine";
import type { Tensor } from "@gristmill/onnx";
import { childMain, type MainChannel } from "../../children/child-main.ts";
import { toFailure } from "./failure.ts";
import { createImageReader, type ImageReader } from "./image-tensor.ts";
import { Outbox } from "./outbox.ts";
import type {
  MainMessage,
  ReplicaAnswer,
  ReplicaCall,
  ReplicaHealth,
  ReplicaMessage,
  ReplicaStart,
} from "./protocol.ts";

class Replica {
  readonly #outbox: Outbox<ReplicaMessage>;
  readonly #batcher: Batcher;
  readonly #readImage: ImageReader | undefined;
  readonly #imageInput: string;
  readonly #running = new Map<number, AbortController>();

  private constructor(main: MainChannel, batcher: Batcher, imageInput: string, readImage: ImageReader | undefined) {
    this.#outbox = new Outbox((messages) => main.send(messages));
    this.#batcher = batcher;
    this.#imageInput = imageInput;
    this.#readImage = readImage;
  }

  static async load(start: ReplicaStart, main: MainChannel): Promise<Replica> {
    const engine = await loadOnnxEngine(start.artifactPath, { threads: start.threads, name: start.model });
    const readImage = start.task === null ? undefined : await createImageReader(start.task);
    const input = engine.signature.inputs[0]?.name ?? "";
    return new Replica(main, new Batcher(engine, start.batching), input, readImage);
  }

  health(): ReplicaHealth {
    return { queueDepth: this.#batcher.depth, memoryBytes: process.memoryUsage.rss() };
  }

  greet(): void {
    this.#outbox.add({ type: "ready", health: this.health() });
  }

  take(message: MainMessage): void {
    switch (message.type) {
      case "call":
        void this.#call(message.id, message.call);
        break;
      case "cancel":
        this.#running.get(message.id)?.abort(new Error("cancelled"));
        break;
      case "ping":
        this.#outbox.add({ type: "pong", health: this.health() });
        break;
    }
  }

  async #call(id: number, call: ReplicaCall): Promise<void> {
    const abort = new AbortController();
    this.#running.set(id, abort);
    try {
      const answer = await this.#answer(call, abort.signal);
      this.#outbox.add({ type: "answer", id, answer });
    } catch (error) {
      // Main has answered a cancelled caller itself.
      if (!abort.signal.aborted) this.#outbox.add({ type: "failure", id, failure: toFailure(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  async #answer(call: ReplicaCall, signal: AbortSignal): Promise<ReplicaAnswer> {
    if (call.type === "infer") return await this.#infer(call.inputs, { signal, ...outputsOf(call) });
    if (this.#readImage === undefined)
      throw new EngineInputError(this.#imageInput, "tensors", "an image, which only an image classifier takes");
    const image = await this.#readImage(call.image);
    signal.throwIfAborted();
    return await this.#infer({ [this.#imageInput]: image }, { signal });
  }

  async #infer(inputs: Readonly<Record<string, Tensor>>, options: InferOptions): Promise<ReplicaAnswer> {
    return await this.#batcher.submit(inputs, options);
  }
}

const outputsOf = (call: Extract<ReplicaCall, { type: "infer" }>) =>
  call.outputs === undefined ? {} : { outputs: call.outputs };

let replica: Replica | undefined;

childMain({
  async start(message, main) {
    try {
      replica = await Replica.load(message as ReplicaStart, main);
    } catch (error) {
      main.finish([{ type: "refused", failure: toFailure(error) }] satisfies ReplicaMessage[]);
      return;
    }
    replica.greet();
  },
  message(message) {
    for (const one of message as readonly MainMessage[]) replica?.take(one);
  },
});
