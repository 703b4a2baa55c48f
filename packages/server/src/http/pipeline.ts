/**
 * @file The one way of every request: authenticate -> permission -> (a repeat's answer) -> limits and reserve -> handler
 * -> settle -> answer. It knows no feature: who knows keys, limits, the ledger and the logs comes in by the constructor.
 */
import { Readable } from "node:stream";
import { AppError, type RequestId } from "@gristmill/contract";
import type { FastifyRequest } from "fastify";
import type { Log } from "../feature.ts";
import type { AuditTrail } from "./audit-trail.ts";
import type { Authenticator } from "./authenticator.ts";
import { credentialsOf, singleHeader } from "./credentials.ts";
import { EventStream, eventStreamBytes } from "./event-stream.ts";
import type { Idempotency } from "./idempotency.ts";
import { type Input, parseInput } from "./input.ts";
import type { Limiter, LimitState } from "./limits.ts";
import type { Answer, Caller, Route, RouteContext } from "./route.ts";
import { settledStream } from "./settled-stream.ts";
import { Tally } from "./tally.ts";
import type { OpenReservation, UsageLedger } from "./usage-ledger.ts";

type Context = RouteContext<unknown, unknown, unknown>;

/** What the pipeline's steps need. */
export interface PipelineParts {
  readonly authenticator: Authenticator;
  readonly limiter: Limiter;
  readonly ledger: UsageLedger;
  readonly auditTrail: AuditTrail;
  readonly idempotency: Idempotency;
  readonly now: () => Date;
  readonly log: Log;
}

/** One request on its way. */
export interface Passage {
  readonly route: Route;
  /** Admitted; undefined: a public route. */
  readonly caller: Caller | undefined;
  readonly request: FastifyRequest;
  readonly signal: AbortSignal;
  readonly onLimits: OnLimits;
}

/** Told, once, how the caller stands with its limits. */
export type OnLimits = (limits: readonly LimitState[]) => void;

/** Runs routes. The first half needs only headers, so a body is read only for who may send it. */
export class Pipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /** Who calls; undefined: a public route. */
  async authenticate({ access }: Route, request: FastifyRequest): Promise<Caller | undefined> {
    return "public" in access ? undefined : await this.#parts.authenticator.authenticate(credentialsOf(request));
  }

  /** Asks for permission, and counts the request unless `run` will. */
  async admit({ access, charge }: Route, caller: Caller, onLimits: OnLimits): Promise<void> {
    if ("scope" in access && !caller.scopes.has(access.scope))
      throw new AppError("auth.forbidden", `This needs the scope ${access.scope}.`, {
        details: { scope: access.scope },
      });
    if ("free" in charge) onLimits(await this.#parts.limiter.count(caller));
  }

  /** All that comes after `admit`. */
  async run(passage: Passage): Promise<Answer> {
    const { route, caller, request } = passage;
    if (caller === undefined)
      return await route.handler(this.#context(passage, parseInput(route, request), request.id as RequestId));
    const input = await this.#counted(passage, caller, () => {
      const parsed = parseInput(route, request);
      requireModel(route, caller, parsed);
      return parsed;
    });
    const key = route.method === "POST" ? singleHeader(request.headers["idempotency-key"]) : undefined;
    const { idempotency } = this.#parts;
    const first = (requestId: RequestId) => this.#audited(passage, caller, input, requestId);
    if (key === undefined) return await first(request.id as RequestId);
    const { signal } = passage;
    return await idempotency.run({ key, caller, route, request, requestId: request.id as RequestId, signal }, first);
  }

  async #audited(passage: Passage, caller: Caller, input: Input, requestId: RequestId): Promise<Answer> {
    const { route, request } = passage;
    const work = () => this.#worked(passage, caller, input, requestId);
    if (route.audit === undefined || "none" in route.audit) return await work();
    const { action } = route.audit;
    const path = request.url.split("?")[0] ?? "";
    const change = { action, caller, requestId, path, body: input.body, address: request.ip };
    return await this.#parts.auditTrail.around(change, work);
  }

  async #worked(passage: Passage, caller: Caller, input: Input, requestId: RequestId): Promise<Answer> {
    const { route } = passage;
    const context = this.#context(passage, input, requestId, caller);
    if ("free" in route.charge) {
      const answer = await route.handler(context);
      return answer.body instanceof EventStream
        ? this.#streamed(answer, answer.body, requestId, async () => {})
        : answer;
    }
    return await this.#charged(passage, caller, context, route.charge.reserve);
  }

  /** What a charged route refuses before it reserves counts as a request too: else errors would be free of limits. */
  async #counted<T>({ route, onLimits }: Passage, caller: Caller, step: () => T | Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (failure) {
      if ("reserve" in route.charge) onLimits(await this.#parts.limiter.count(caller));
      throw failure;
    }
  }

  async #charged(
    passage: Passage,
    caller: Caller,
    context: Context,
    estimate: Extract<Route["charge"], { reserve: unknown }>["reserve"],
  ): Promise<Answer> {
    const { ledger, log } = this.#parts;
    const { route, signal, onLimits } = passage;
    const { requestId } = context;
    const { organizationId, projectId, keyId } = caller;
    const estimates = await this.#counted(passage, caller, () => estimate(context));
    const reservation = await ledger.reserve({ requestId, organizationId, projectId, keyId, estimates }, { signal });
    onLimits(reservation.limits);
    const tally = new Tally(caller.userId);
    const close = () => this.#close(reservation, tally);
    let answer: Answer;
    try {
      answer = await route.handler({
        ...context,
        caller,
        admittedAt: reservation.admittedAt,
        use: (quantity) => tally.add(quantity),
      });
    } catch (failure) {
      // The caller hears of the handler's failure; a ledger that fails too is found again from its open reservation.
      await close().catch((error) =>
        log.error({ err: error, request_id: requestId }, "A failed request was not settled."),
      );
      throw failure;
    }
    if (answer.body instanceof EventStream) return this.#streamed(answer, answer.body, requestId, close);
    if (answer.body instanceof Readable) return { ...answer, body: settledStream(answer.body, close) };
    await close();
    return answer;
  }

  #streamed(answer: Answer, events: EventStream, requestId: RequestId, settle: () => Promise<void>): Answer {
    const { log } = this.#parts;
    const onFailure = (error: AppError): void => {
      const fields = { err: error, request_id: requestId };
      if (error.code === "internal") log.error(fields, "A stream failed.");
      else if (error.code !== "request.cancelled") log.warn(fields, "A stream ended with a failure.");
    };
    return { ...answer, body: eventStreamBytes(events, { settle, onFailure }) };
  }

  async #close(reservation: OpenReservation, tally: Tally): Promise<void> {
    const { ledger, now } = this.#parts;
    const events = tally.events(reservation, now());
    if (events.length === 0) await ledger.release(reservation);
    else await ledger.settle(reservation, events);
  }

  #context({ route, request, signal }: Passage, input: Input, requestId: RequestId, caller?: Caller): Context {
    return {
      get caller(): Caller {
        if (caller === undefined) throw new Error(`${route.path} is public: it has no caller`);
        return caller;
      },
      ...input,
      requestId,
      admittedAt: this.#parts.now(),
      signal,
      request,
      use: () => {
        throw new Error(`${route.path} uses a meter that it has not reserved`);
      },
    };
  }
}

/** @throws AppError `auth.model_forbidden` for a deployment that the caller's list does not hold; `name@2` is `name`. */
function requireModel(route: Route, { models }: Caller, { params, query, body }: Input): void {
  const model = route.model?.(params, query, body);
  if (model === undefined || models === null || models.has(model.split("@")[0] ?? model)) return;
  throw new AppError("auth.model_forbidden", `This key may not use "${model}".`, { details: { model } });
}
