/** @file What a route is. Every route of every feature is one of these values; the pipeline (pipeline.ts) runs them all alike. */
import type {
  AuditAction,
  KeyId,
  Meter,
  OrganizationId,
  ProjectId,
  RequestId,
  Scope,
  UserId,
} from "@gristmill/contract";
import type { FastifyRequest } from "fastify";
import type { z } from "zod";

/** Who calls: the admin key, a project's key or a user's session, always inside one project of one organization. */
export interface Caller {
  readonly kind: "admin" | "key" | "user";
  readonly organizationId: OrganizationId;
  readonly projectId: ProjectId;
  /** null: the admin key, which is no row, or a session. */
  readonly keyId: KeyId | null;
  /** Of a session; else null. */
  readonly userId: UserId | null;
  readonly scopes: ReadonlySet<Scope>;
  /** Deployments and models that may be used; null: all of the project. */
  readonly models: ReadonlySet<string> | null;
}

/**
 * One scope that the caller must hold; or the reason why everyone may who is known (one's own session); or the reason
 * why nobody needs to be known.
 */
export type Access = { readonly scope: Scope } | { readonly known: string } | { readonly public: string };

/** What the audit log says of a change; or the reason why a route that is no GET changes nothing, or tells of it itself. */
export type Audit = { readonly action: AuditAction } | { readonly none: string };

/** So much of a meter. Quantities are exact decimals as text or whole numbers. */
export interface Quantity {
  readonly meter: Meter;
  readonly quantity: bigint | string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** What a request may use at most (reserved before it runs), or the reason why it costs nothing. */
export type Charge<Context> =
  | { readonly free: string }
  | { readonly reserve: (context: Context) => readonly Quantity[] | Promise<readonly Quantity[]> };

/** In whose words a failure is told. */
export type Surface = "api" | "inference-protocol" | "openai";

/** What a handler gets: parsed and checked input, who calls, and what stops it. */
export interface RouteContext<Params, Query, Body> {
  readonly caller: Caller;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly requestId: RequestId;
  /** By the database's clock; decides the price. */
  readonly admittedAt: Date;
  /** Aborted when the client goes away or the server stops. */
  readonly signal: AbortSignal;
  /** The request itself, for uploads and headers. */
  readonly request: FastifyRequest;
  /** Adds to what is settled, durably, before the answer's last byte. Only for routes whose charge reserves. */
  use(quantity: Quantity): void;
}

/** What a handler returns: JSON (any value), bytes (Uint8Array), a stream (Readable) or events (EventStream). */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Values of `set-cookie`, which may be sent more than once. They are of one answer and never replayed. */
  readonly cookies?: readonly string[];
  readonly body: unknown;
}

/** A route before its types are forgotten. Schemas validate, give types, and become the OpenAPI document. */
export interface RouteDefinition<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Fastify's pattern: "/api/datasets/:dataset". */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly surface?: Surface;
  readonly access: Access;
  /** Of every route that is no GET. */
  readonly audit?: Audit;
  /**
   * The deployment that a request names, of every route with the scope `inference`: a caller's list of models must hold it.
   * undefined: this request names none, and the handler looks at the list itself.
   */
  readonly model?: (params: z.output<P>, query: z.output<Q>, body: z.output<B>) => string | undefined;
  readonly charge: Charge<RouteContext<z.output<P>, z.output<Q>, z.output<B>>>;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /**
   * Content types taken as raw bytes (`body` is then a Buffer; "*\/*": whatever the client says, or does not say) or, for
   * "multipart/form-data", left unread for the handler. `body` then only describes them in the document.
   */
  readonly consumes?: readonly string[];
  /** What `consumes` names is left unread: `request.body` is a Readable then, whose length the handler bounds. */
  readonly streamsBody?: boolean;
  /** Largest body in bytes; default 1 MiB. */
  readonly bodyLimit?: number;
  /** The JSON of a success, for the document only; answers are built from explicit fields and not validated again. */
  readonly response?: z.ZodType;
  /** Status of a success, for the document; default 200. */
  readonly successStatus?: number;
  readonly handler: (context: RouteContext<z.output<P>, z.output<Q>, z.output<B>>) => Promise<Answer>;
}

/** A route as the pipeline runs it. */
export type Route = RouteDefinition<z.ZodType, z.ZodType, z.ZodType>;

/** Checks a route's types where it is written, then forgets them so that routes of all kinds share a list. */
export function route<
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>(definition: RouteDefinition<P, Q, B>): Route {
  return definition as unknown as Route;
}
