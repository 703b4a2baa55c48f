/** @file What is known of a browser that is not signed in yet, or is about to be again. */
import { AppError, type RequestId } from "@gristmill/contract";
import type { FastifyRequest } from "fastify";
import { readCookie } from "./cookies.ts";
import { isOurOrigin } from "./origin.ts";

/** One request of a browser. */
export interface Visit {
  readonly requestId: RequestId;
  /** Without its query, which may hold secrets. */
  readonly path: string;
  readonly address: string;
  /** As the browser calls itself; at most 300 characters. */
  readonly userAgent: string;
  /** Where the browser sees this server: "https://ai.example.com". */
  readonly server: string;
  /** True when cookies must not travel in the clear. */
  readonly isSecure: boolean;
  readonly sessionToken: string | undefined;
  readonly device: string | undefined;
  readonly flow: string | undefined;
}

/** @param publicUrl the operator's; without it the request says where the server is, and its Host was checked. */
export function visitOf(request: FastifyRequest, publicUrl: string | undefined): Visit {
  const { cookie } = request.headers;
  const server = publicUrl ?? `${request.protocol}://${request.headers.host}`;
  return {
    requestId: request.id as RequestId,
    path: request.url.split("?")[0] ?? "",
    address: request.ip,
    userAgent: (request.headers["user-agent"] ?? "").slice(0, 300),
    server,
    isSecure: server.startsWith("https:") || request.protocol === "https",
    sessionToken: readCookie(cookie, "gristmill_session"),
    device: readCookie(cookie, "gristmill_device"),
    flow: readCookie(cookie, "gristmill_sign_in"),
  };
}

/**
 * Another site's page must not sign its visitors in as somebody else.
 * @throws AppError `auth.csrf` when the browser says that the request comes from there.
 */
export function requireOwnPage({ headers }: FastifyRequest, publicUrl: string | undefined): void {
  const site = headers["sec-fetch-site"];
  const isForeign = site !== undefined && site !== "same-origin" && site !== "none";
  if (!isForeign && (headers.origin === undefined || isOurOrigin(headers.origin, headers.host, publicUrl))) return;
  throw new AppError("auth.csrf", "This request comes from a page of another site.");
}
