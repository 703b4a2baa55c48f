/** @file How bodies are read: JSON, raw bytes, or not at all. Each route reads only what it names. */
import { isUtf8 } from "node:buffer";
import multipart from "@fastify/multipart";
import { AppError } from "@gristmill/contract";
import type { FastifyInstance } from "fastify";
import type { Route } from "./route.ts";

/** Bytes of a body whose route says nothing. */
export const defaultBodyLimit = 1024 * 1024;

/** In a route's `consumes`: raw bytes of any content type, or of none. */
export const anyType = "*/*";

/** Largest field beside the files of a multipart body. */
const fieldLimit = 1024 * 1024;

/** Sets the parsers of one route; `scope` is a Fastify context of its own. */
export async function readBodies(scope: FastifyInstance, route: Route): Promise<void> {
  if (route.consumes?.includes(anyType)) {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    return;
  }
  const raw = (route.consumes ?? []).filter((type) => type !== "multipart/form-data");
  const isMultipart = route.consumes?.includes("multipart/form-data") === true;
  const takesJson = route.body !== undefined && !raw.includes("application/json");
  scope.removeContentTypeParser("application/json");
  if (takesJson) readJson(scope);
  scope.removeContentTypeParser("text/plain");
  for (const type of raw)
    if (route.streamsBody === true) scope.addContentTypeParser(type, (_request, payload, done) => done(null, payload));
    else scope.addContentTypeParser(type, { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  if (isMultipart) {
    const limit = route.bodyLimit ?? defaultBodyLimit;
    await scope.register(multipart, {
      limits: { fileSize: limit, files: 16, fields: 16, parts: 32, fieldSize: fieldLimit },
    });
  }
  const accepted = [...(takesJson ? ["application/json"] : []), ...(route.consumes ?? [])];
  scope.addContentTypeParser("*", (request, payload, done) => {
    const { "content-type": type, "content-length": length, "transfer-encoding": encoding } = request.headers;
    // Some clients name a type with every POST, also when they send nothing.
    if (accepted.length === 0 && encoding === undefined && (length === undefined || length === "0")) {
      payload.resume();
      done(null, undefined);
      return;
    }
    const wanted = accepted.length === 0 ? "This route takes no body" : `This route takes ${accepted.join(", ")}`;
    done(new AppError("request.unsupported_media_type", `${wanted}; the request has ${type ?? "no content type"}.`));
  });
}

/** JSON is UTF-8 (RFC 8259, section 8.1). Fastify's own reading would write U+FFFD for bytes that are not, and tell nobody. */
function readJson(scope: FastifyInstance): void {
  const parse = scope.getDefaultJsonParser("error", "error");
  scope.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    if (isUtf8(body)) return parse(request, body.toString(), done);
    done(new AppError("request.invalid", "The body is not valid UTF-8, as JSON must be."));
  });
}
