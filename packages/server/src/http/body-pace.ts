import type { IncomingMessage, ServerResponse } from "node:http";
import { answerBrokenRequest } from "./broken-request.ts";

/** Bytes that a body under way must bring in each span: a large file over a slow line comes through, a trickle does not. */
export const bodyPace = { spanMs: 60_000, bytes: 64 * 1024 };

/** Ends a request whose body comes too slowly. A span in which we did not read what was there is nobody's fault. */
export function keepPace(request: IncomingMessage, response: ServerResponse): void {
  const { socket, headers } = request;
  if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return;
  let seen = socket.bytesRead;
  let wasWaiting = false;
  const timer = setInterval(() => {
    const came = socket.bytesRead - seen;
    seen = socket.bytesRead;
    const isWaiting = request.readableLength > 0;
    const isExcused = isWaiting || wasWaiting;
    wasWaiting = isWaiting;
    if (request.complete) return stop(); // all has come; the handler has not read all of it
    if (came >= bodyPace.bytes || isExcused) return;
    stop();
    if (response.headersSent) socket.destroy();
    else answerBrokenRequest(Object.assign(new Error("a slow body"), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), socket);
  }, bodyPace.spanMs);
  timer.unref();
  const stop = (): void => clearInterval(timer);
  request.once("end", stop).once("close", stop);
}
