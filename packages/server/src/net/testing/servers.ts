/** @file Real servers to be called by tests. */

import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";

/** A server of a test; the caller closes it. */
export interface TestServer {
  readonly port: number;
  /** "http://127.0.0.1:1234". */
  readonly url: string;
  /** How many connections have come. */
  connections(): number;
  close(): Promise<void>;
}

const pem = (name: string): string => readFileSync(new URL(`hooks-example.${name}.pem`, import.meta.url), "utf8");

/** The certificate of `hooks.example`, made for these tests alone and trusted by nobody else. */
export const testCertificate = (): string => pem("cert");

/** Listens at 127.0.0.1; with `tls`, by https as `hooks.example`. */
export async function testServer(
  handle: RequestListener,
  options: { readonly tls?: boolean } = {},
): Promise<TestServer> {
  const server = options.tls
    ? createSecureServer({ key: pem("key"), cert: pem("cert") }, handle)
    : createServer(handle);
  let connections = 0;
  server.on("connection", () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${options.tls ? "https" : "http"}://127.0.0.1:${port}`,
    connections: () => connections,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
