/** @file Limits as rules: what a request must find room under. Pure. */
import { AppError, type LimitMetric, type LimitSubject } from "@gristmill/contract";
import {
  type Allowance,
  type Claimant,
  type RateWindow,
  type RuleSet,
  type Terms,
  tokensOf,
} from "../metering/index.ts";

/** One limit. */
export interface LimitRule {
  readonly id: string;
  readonly subject: LimitSubject;
  readonly metric: LimitMetric;
  readonly value: number;
}

/** All limits of one subject, ready to be claimed from. */
interface Room {
  readonly requests: RateWindow[];
  readonly tokens: RateWindow[];
  readonly concurrent: Allowance[];
}

const minuteSeconds = 60;

/** Limits by whom they hold for; it costs three look-ups a request, however many limits there are. */
export class LimitRules implements RuleSet {
  readonly #rooms = new Map<string, Room>();

  constructor(rules: readonly LimitRule[]) {
    for (const rule of rules) {
      const key = keyOf(rule.subject.type, rule.subject.id);
      const room = this.#rooms.get(key) ?? { requests: [], tokens: [], concurrent: [] };
      this.#rooms.set(key, room);
      if (rule.metric === "requests_per_minute") room.requests.push(windowOf(rule, "requests"));
      else if (rule.metric === "tokens_per_minute") room.tokens.push(windowOf(rule, "tokens"));
      else room.concurrent.push(allowanceOf(rule));
    }
  }

  terms(...[claimant, estimates, , , kind]: Parameters<RuleSet["terms"]>): Terms {
    if (kind === "cost" || this.#rooms.size === 0) return { holds: [], takes: [] };
    const rooms = this.#roomsOf(claimant);
    const tokens = tokensOf(estimates);
    return {
      holds: rooms.flatMap(({ concurrent }) => concurrent.map((allowance) => ({ allowance, amount: "1" }))),
      takes: [
        ...rooms.flatMap(({ requests }) => requests.map((window) => ({ window, amount: 1 }))),
        ...(tokens === 0 ? [] : rooms.flatMap((room) => room.tokens.map((window) => ({ window, amount: tokens })))),
      ],
    };
  }

  /** What was used was counted when it was claimed. */
  accruals(): readonly [] {
    return [];
  }

  #roomsOf({ keyId, projectId, organizationId }: Claimant): readonly Room[] {
    return [
      keyId === null ? undefined : this.#rooms.get(keyOf("key", keyId)),
      this.#rooms.get(keyOf("project", projectId)),
      this.#rooms.get(keyOf("organization", organizationId)),
    ].filter((room) => room !== undefined);
  }
}

const keyOf = (type: LimitSubject["type"], id: string): string => `${type} ${id}`;

const windowOf = (rule: LimitRule, metric: "requests" | "tokens"): RateWindow => ({
  id: rule.id,
  metric,
  capacity: rule.value,
  seconds: minuteSeconds,
  refusal: ({ remaining, retryAfterMs }) => exceeded(rule, `${rule.value} ${metric} a minute`, remaining, retryAfterMs),
});

const allowanceOf = (rule: LimitRule): Allowance => ({
  id: rule.id,
  capacity: String(rule.value),
  thresholds: [],
  refusal: () => exceeded(rule, `${rule.value} requests at once`, 0, 1000),
});

function exceeded({ id, subject, metric, value }: LimitRule, what: string, remaining: number, retryAfterMs: number) {
  return new AppError("limit.exceeded", `This ${subject.type} may make ${what} (limit ${id}).`, {
    details: { limit_id: id, metric, subject, limit: value, remaining, retry_after_ms: retryAfterMs },
  });
}
