/** @file A server of real sockets that answers as recorded: each call takes the next answer, and what was asked is kept. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What a server answers: bytes, with waits (milliseconds) between them, and an end. */
export interface Recorded {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** `{waitMs}` pauses; "cut" breaks the connection; "hang" never ends. */
  readonly body: readonly (string | Uint8Array | { readonly waitMs: number } | "cut" | "hang")[];
}

/** A call as it came. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** A running server. */
export interface ReplayServer {
  readonly url: string;
  readonly asked: Asked[];
  /** Connections of calls whose caller has left before the end. */
  readonly left: () => number;
  /** Answers by the order of calls, for a path; the last is repeated. */
  on(path: string, ...answers: readonly Recorded[]): void;
  close(): Promise<void>;
}

/** Starts one on a free port. */
export async function startReplayServer(): Promise<ReplayServer> {
  const answers = new Map<string, Recorded[]>();
  const asked: Asked[] = [];
  let left = 0;
  const server = createServer((request, response) => {
    // A caller that leaves while it asks has nothing to hear.
    answer(request, response).catch(() => response.destroy());
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const path = request.url ?? "";
    asked.push({ method: request.method ?? "", path, headers: request.headers, body: text && JSON.parse(text) });
    const queue = answers.get(path.replace(/\?.*$/, "")) ?? [];
    const recorded = (queue.length > 1 ? queue.shift() : queue[0]) ?? { status: 404, body: ["none"] };
    response.on("close", () => {
      if (!response.writableFinished) left++;
    });
    response.writeHead(recorded.status ?? 200, { "content-type": "text/event-stream", ...recorded.headers });
    response.flushHeaders();
    for (const part of recorded.body) {
      if (part === "hang") return;
      if (part === "cut") {
        // What was written must have left, or the reset would overtake it.
        await sleep(20);
        return void response.socket?.destroy();
      }
      if (typeof part === "object" && "waitMs" in part) await sleep(part.waitMs);
      else response.write(part);
    }
    response.end();
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    left: () => left,
    on: (path, ...recorded) => void answers.set(path, [...recorded]),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An answer of JSON. */
export const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Recorded => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: [JSON.stringify(value)],
});

/** A stream of chunks and its `[DONE]`. */
export const stream = (...chunks: readonly unknown[]): Recorded => ({
  body: [...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), "data: [DONE]\n\n"],
});

/** A chunk of a chat. */
export const delta = (value: unknown, more: Record<string, unknown> = {}): unknown => ({
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta: value, finish_reason: null, ...more }],
});

/** The last chunk with a choice. */
export const finish = (reason: string): unknown => delta({}, { finish_reason: reason });
