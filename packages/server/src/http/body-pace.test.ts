import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bodyPace, keepPace } from "./body-pace.ts";

let server: Server;
let received = 0;
let isComplete = false;
const finish = Promise.withResolvers<void>();
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  received = 0;
  server = createServer(async (request, response) => {
    keepPace(request, response);
    request.on("data", (bytes: Buffer) => {
      received += bytes.length;
    });
    await new Promise((resolve) => request.once("end", resolve));
    isComplete = true;
    await finish.promise;
    response.end(`${received} bytes`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  vi.useRealTimers();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Begins a request of so many bytes. */
function begin(length: number): Socket {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`);
  return socket;
}

/** Sends a part of the body, and lets a span pass when it is there. */
async function span(socket: Socket, bytes: number): Promise<void> {
  const until = received + bytes;
  socket.write("x".repeat(bytes));
  await expect.poll(() => received, { timeout: 20_000 }).toBe(until);
  vi.advanceTimersByTime(bodyPace.spanMs);
}

test("[HTTP5] a body that keeps its pace comes through, however long it takes; the answer may take longer", async () => {
  const spans = 15;
  // More than the least: what came together with the headers counts for no span.
  const bytes = 2 * bodyPace.bytes;
  const socket = begin(spans * bytes);
  for (let i = 0; i < spans; i++) await span(socket, bytes);
  await expect.poll(() => isComplete, { timeout: 20_000 }).toBe(true);
  vi.advanceTimersByTime(10 * bodyPace.spanMs);
  finish.resolve();
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*1966080 bytes/s);
});

test("[HTTP5] a body that trickles is request.timeout, and its connection is closed", async () => {
  const socket = begin(1_000_000);
  await span(socket, 2 * bodyPace.bytes);
  await span(socket, 1);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 .*request\.timeout/s);
});
