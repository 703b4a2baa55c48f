/**
 * @file The one way of every request: authenticate -> scope -> limit -> reserve -> handler -> settle -> answer.
 * It knows no feature: who knows keys and who keeps the ledger come in by the constructor.
 */
import { Readable } from "node:stream";
import { AppError, type RequestId } from "@gristmill/contract";
import type { FastifyRequest } from "fastify";
import type { Log } from "../feature.ts";
import type { Authenticator, Limiter } from "./authenticator.ts";
import { parseInput } from "./input.ts";
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
  readonly now: () => Date;
  readonly log: Log;
}

/** Runs routes. The first half needs only headers, so a body is read only for who may send it. */
export class Pipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /** Authenticate, scope, limit. undefined: a public route. */
  async admit(route: Route, request: FastifyRequest): Promise<Caller | undefined> {
    if ("public" in route.access) return undefined;
    const { authenticator, limiter } = this.#parts;
    const caller = await authenticator.authenticate({
      key: bearerKey(request.headers.authorization),
      project: singleHeader(request.headers["gristmill-project"]),
    });
    const { scope } = route.access;
    if (caller.kind !== "admin" && !caller.scopes.has(scope))
      throw new AppError("auth.forbidden", `This needs a key with the scope ${scope}.`, { details: { scope } });
    await limiter.admit(caller, route);
    return caller;
  }

  /** Reserve, handler, settle. `caller` is what `admit` returned. */
  async run(route: Route, caller: Caller | undefined, request: FastifyRequest, signal: AbortSignal): Promise<Answer> {
    const input = parseInput(route, request);
    const context: Context = {
      get caller(): Caller {
        if (caller === undefined) throw new Error(`${route.path} is public: it has no caller`);
        return caller;
      },
      ...input,
      requestId: request.id as RequestId,
      admittedAt: this.#parts.now(),
      signal,
      request,
      use: () => {
        throw new Error(`${route.path} uses a meter that it has not reserved`);
      },
    };
    if ("free" in route.charge) return await route.handler(context);
    return await this.#runCharged(route, route.charge.reserve, context);
  }

  async #runCharged(
    route: Route,
    estimate: Extract<Route["charge"], { reserve: unknown }>["reserve"],
    context: Context,
  ): Promise<Answer> {
    const { ledger, log } = this.#parts;
    const { requestId, caller } = context;
    const estimates = await estimate(context);
    const { projectId, keyId } = caller;
    const reservation = await ledger.reserve({ requestId, projectId, keyId, estimates });
    const tally = new Tally();
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
    if (answer.body instanceof Readable) return { ...answer, body: settledStream(answer.body, close) };
    await close();
    return answer;
  }

  async #close(reservation: OpenReservation, tally: Tally): Promise<void> {
    const { ledger, now } = this.#parts;
    const events = tally.events(reservation, now());
    if (events.length === 0) await ledger.release(reservation);
    else await ledger.settle(reservation, events);
  }
}

/** @throws AppError `auth.missing`. */
function bearerKey(header: string | undefined): string {
  const key = /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1];
  if (key === undefined) throw new AppError("auth.missing", "This needs a key.");
  return key;
}

const singleHeader = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === "string" ? value : value?.[0];
