/** @file Fastify around the pipeline: listens, finds routes, reads bodies, writes answers and failures. */
import { Readable } from "node:stream";
import { AppError, type RequestId } from "@gristmill/contract";
import Fastify, {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import type { Log } from "../feature.ts";
import type { NewId } from "../ids.ts";
import { type AuditTrail, unaudited } from "./audit-trail.ts";
import type { Authenticator } from "./authenticator.ts";
import { defaultBodyLimit, readBodies } from "./bodies.ts";
import { keepPace } from "./body-pace.ts";
import { answerBrokenRequest } from "./broken-request.ts";
import { type Denials, uncounted } from "./denials.ts";
import { renderFailure, retryAfterSeconds, surfaceOf, toAppError } from "./failures.ts";
import { isOurHost } from "./host.ts";
import { type Idempotency, unkept } from "./idempotency.ts";
import { type Flight, InFlight, stopping } from "./in-flight.ts";
import { type Limiter, rateLimitHeaders, refusedLimits, unlimited } from "./limits.ts";
import { type OnLimits, Pipeline } from "./pipeline.ts";
import type { Answer, Caller, Route, Surface } from "./route.ts";
import type { UsageLedger } from "./usage-ledger.ts";

/** Headers must be here within this; bodies keep a pace (`body-pace.ts`), so that large files may take their time. */
const headersTimeoutMs = 20_000;

/** What the HTTP side is made of. */
export interface HttpParts {
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  readonly ledger: UsageLedger;
  readonly limiter?: Limiter;
  readonly auditTrail?: AuditTrail;
  readonly idempotency?: Idempotency;
  readonly denials?: Denials;
  /** Names beside localhost and addresses that may be in a request's Host. */
  readonly allowedHosts: readonly string[];
  readonly now: () => Date;
  readonly newId: NewId;
  readonly log: Log;
}

/** The HTTP side. */
export interface Http {
  /** For tests: `inject`. */
  readonly app: FastifyInstance;
  /** What it was built from. */
  readonly routes: readonly Route[];
  /** "GET /api/runs": what Fastify really answers, so that a test can find a route that went past the pipeline. */
  readonly registered: readonly string[];
  /** @throws AppError `port.in_use`. Returns the port, which the system chose when 0 was asked for. */
  listen(host: string, port: number): Promise<number>;
  /** No new work; waits for requests under way until the deadline, then cuts them. */
  stop(deadlineMs: number): Promise<void>;
}

/** What is known of a request between its steps. */
interface Progress {
  readonly flight: Flight;
  caller: Caller | undefined;
}

/** Builds the server; it listens nowhere yet. */
export async function createHttp(parts: HttpParts): Promise<Http> {
  const { routes, allowedHosts, log, newId, now, authenticator, ledger } = parts;
  const { limiter = unlimited, auditTrail = unaudited, idempotency = unkept, denials = uncounted } = parts;
  const pipeline = new Pipeline({ authenticator, limiter, ledger, auditTrail, idempotency, now, log });
  const inFlight = new InFlight();
  const progress = new WeakMap<FastifyRequest, Progress>();
  const app = Fastify({
    logger: false,
    genReqId: () => newId("request"),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    bodyLimit: defaultBodyLimit,
    requestTimeout: 0,
    http: { headersTimeout: headersTimeoutMs },
    forceCloseConnections: true,
    clientErrorHandler: answerBrokenRequest,
  });
  const registered: string[] = [];
  app.addHook("onRoute", ({ method, path }) => {
    for (const name of [method].flat()) registered.push(`${name} ${path}`);
  });
  // Schemas are checked by the pipeline, which knows which bodies are raw and tells all problems at once.
  app.setValidatorCompiler(() => () => true);

  // Before the routes: their contexts take over what is set by then.
  app.setErrorHandler((error, request, reply) => {
    const failure = toAppError(error);
    noteDenial(failure, request, progress.get(request)?.caller, denials);
    return answerFailure(failure, request, reply, log);
  });
  app.addHook("onResponse", async (request, reply) => logRequest(request, reply, progress.get(request)?.caller, log));
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id).header("x-content-type-options", "nosniff");
    keepPace(request.raw, reply.raw);
    const flight = inFlight.begin(reply);
    progress.set(request, { flight, caller: undefined });
    if (inFlight.isStopping) {
      reply.header("connection", "close");
      throw stopping();
    }
    if (!isOurHost(request.headers.host, allowedHosts))
      throw new AppError("request.wrong_host", "The Host of this request is not a name of this server.");
  });

  for (const route of routes) await addRoute(app, route, pipeline, progress);

  app.setNotFoundHandler(async (request) => {
    throw new AppError("route.not_found", `There is no ${request.method} ${request.url.split("?")[0]}.`);
  });
  await app.ready();

  return {
    app,
    routes,
    registered,
    listen: (host, port) => listen(app, host, port),
    stop: async (deadlineMs) => {
      await inFlight.stop(deadlineMs);
      await app.close();
    },
  };
}

/** In a context of its own, so that its body parsers are its own. */
async function addRoute(
  app: FastifyInstance,
  route: Route,
  pipeline: Pipeline,
  progress: WeakMap<FastifyRequest, Progress>,
): Promise<void> {
  const find = (request: FastifyRequest): Progress => {
    const found = progress.get(request);
    if (found === undefined) throw new Error("a request without its first hook");
    return found;
  };
  const plugin: FastifyPluginAsync = async (scope) => {
    await readBodies(scope, route);
    scope.route({
      method: route.method,
      url: route.path,
      bodyLimit: route.bodyLimit ?? defaultBodyLimit,
      config: { surface: route.surface ?? "api" },
      onRequest: async (request, reply) => {
        const caller = await pipeline.authenticate(route, request);
        find(request).caller = caller;
        if (caller !== undefined) await pipeline.admit(route, caller, limitsTo(reply));
      },
      handler: async (request, reply) => {
        const { caller, flight } = find(request);
        const { signal } = flight;
        const answer = await pipeline.run({ route, caller, request, signal, onLimits: limitsTo(reply) });
        if (answer.body instanceof Readable) streamUntil(flight, answer.body, "free" in route.charge);
        return send(reply, answer);
      },
    });
  };
  await app.register(plugin);
}

/** A stream ends with its request: when the client goes away, or at once when the server stops and nobody paid for the rest. */
function streamUntil(flight: Flight, body: Readable, isFree: boolean): void {
  const end = () => body.destroy();
  flight.signal.addEventListener("abort", end, { once: true });
  body.once("close", () => flight.signal.removeEventListener("abort", end));
  if (isFree) flight.endsOnStop();
  if (flight.signal.aborted) end();
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status ?? 200).headers(answer.headers ?? {});
  if (answer.cookies !== undefined) reply.header("set-cookie", [...answer.cookies]);
  const { body } = answer;
  if (body === undefined) return reply.send();
  if (body instanceof Readable) return reply.send(body);
  if (body instanceof Uint8Array) return reply.send(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  if (!reply.hasHeader("content-type")) reply.type("application/json; charset=utf-8");
  return reply.send(typeof body === "string" && answer.headers?.["content-type"] ? body : JSON.stringify(body));
}

const limitsTo =
  (reply: FastifyReply): OnLimits =>
  (limits) =>
    void reply.headers(rateLimitHeaders(limits));

const deniedStatuses: ReadonlySet<number> = new Set([401, 403, 404, 421, 429]);

function noteDenial(
  { status, code }: AppError,
  request: FastifyRequest,
  caller: Caller | undefined,
  denials: Denials,
): void {
  if (!deniedStatuses.has(status)) return;
  const route = `${request.method} ${request.routeOptions.url ?? "(none)"}`;
  denials.note({ caller, address: request.ip, route, code });
}

function answerFailure(failure: AppError, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  if (failure.code === "internal") log.error({ err: failure, request_id: request.id }, "A request failed.");
  else if (failure.status >= 500) log.warn({ err: failure, request_id: request.id }, "A request was refused.");
  const config = request.routeOptions.config as { surface?: Surface };
  const surface = config.surface ?? surfaceOf(request.url);
  if (failure.retryable && (failure.status === 429 || failure.status === 503))
    reply.header("retry-after", retryAfterSeconds(failure));
  reply.headers(rateLimitHeaders(refusedLimits(failure)));
  if (failure.status === 401) reply.header("www-authenticate", "Bearer");
  return reply
    .code(failure.status)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(renderFailure(failure, surface, request.id as RequestId)));
}

function logRequest(request: FastifyRequest, reply: FastifyReply, caller: Caller | undefined, log: Log): void {
  const clientId = request.headers["x-request-id"];
  log.info(
    {
      request_id: request.id,
      ...(typeof clientId === "string" ? { client_request_id: clientId.slice(0, 128) } : {}),
      method: request.method,
      // The pattern, not the path: a path may hold what a client put there by mistake, such as a key.
      route: request.routeOptions.url ?? "(none)",
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 100) / 100,
      ...(caller === undefined ? {} : { project_id: caller.projectId, key_id: caller.keyId }),
    },
    "request",
  );
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE")
      throw new AppError("port.in_use", `Another program listens at ${host}:${port}.`, { cause });
    if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
      throw new AppError(
        "config.invalid",
        `GRISTMILL_HOST ${host}, GRISTMILL_PORT ${port}: can't listen there (${code}).`,
        { cause },
      );
    throw cause;
  }
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}
