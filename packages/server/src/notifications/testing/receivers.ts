/** @file Real receivers for tests: a webhook's server, and a mail server. */
import type { IncomingHttpHeaders, RequestListener } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { SMTPServer } from "smtp-server";
import { type TestServer, testServer } from "../../net/testing/servers.ts";

/** A call that came. */
export interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A webhook's server that remembers what came. */
export interface Receiver extends TestServer {
  readonly calls: readonly Call[];
}

/** @param answer of each call, in order; the last one again and again. */
export async function webhookReceiver(...answers: readonly RequestListener[]): Promise<Receiver> {
  const calls: Call[] = [];
  const server = await testServer(async (request, response) => {
    const { headers } = request;
    calls.push({ headers, body: Buffer.concat(await request.toArray()).toString() });
    const answer = answers[Math.min(calls.length, answers.length) - 1];
    if (answer === undefined) response.writeHead(204).end();
    else answer(request, response);
  });
  return { ...server, calls };
}

/** Answers with a status. */
export const answering =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    response.writeHead(status, headers).end();

/** A letter that came. */
export interface Letter {
  readonly from: string;
  /** Whom the envelope names. */
  readonly to: readonly string[];
  /** As it was sent: headers, an empty line, the text. */
  readonly source: string;
}

/** A mail server that remembers what came; the caller closes it. */
export interface Mailbox {
  /** "smtp://127.0.0.1:1234". */
  readonly url: string;
  readonly letters: readonly Letter[];
  close(): Promise<void>;
}

/** @param refuse the code with which a recipient is refused, if it is. */
export async function mailbox(
  refuse: (address: string) => number | undefined = () => undefined,
  host = "127.0.0.1",
): Promise<Mailbox> {
  const letters: Letter[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    onRcptTo({ address }, _session, callback) {
      const code = refuse(address);
      callback(code === undefined ? undefined : Object.assign(new Error("refused"), { responseCode: code }));
    },
    onData(stream, { envelope }, callback) {
      stream.toArray().then((chunks) => {
        const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        letters.push({ from, to, source: Buffer.concat(chunks).toString() });
        callback();
      }, callback);
    },
  });
  server.on("error", () => {});
  const listening = server.listen(0, host);
  await new Promise((resolve) => listening.once("listening", resolve));
  const address = listening.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `smtp://${host}:${port}`,
    letters,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** Waits until something holds; 10 s at most. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const until = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`did not hold within 10 s: ${holds}`);
    await sleep(20);
  }
}
