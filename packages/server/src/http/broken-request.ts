/** @file Answers to what is not an HTTP request, or came too slowly: there is no route and no id yet. */
import type { Socket } from "node:net";
import { AppError, type ErrorCode, errorTable } from "@gristmill/contract";
import { renderFailure } from "./failures.ts";

/** Node's parser errors, in our codes; all others are malformed requests. */
const codes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ["request.timeout", "The request did not arrive in time."],
  HPE_HEADER_OVERFLOW: ["request.too_large", "The headers have more than 16 KiB."],
};

/** Fastify's `clientErrorHandler`. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, message] = codes[error.code ?? ""] ?? ["request.invalid", "This is not an HTTP request."];
  const body = JSON.stringify(renderFailure(new AppError(code, message), "api", ""));
  const { status } = errorTable[code];
  socket.end(
    `HTTP/1.1 ${status} ${code}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
