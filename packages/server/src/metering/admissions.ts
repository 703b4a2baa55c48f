/** @file The queue of claims: groups of them are judged by the rules, and let in by the database. */
import type { Database } from "../db/index.ts";
import { type Admitted, askFor, type Candidate, type Entrant, misjudged, outcomesOf, termsOf } from "./admission.ts";
import type { CurrentPolicy, Policy } from "./current-policy.ts";
import { maxTries, repeatedOnce, restless } from "./failure.ts";
import type { Settlements } from "./settlements.ts";
import { admit, makeRooms } from "./store.ts";

type Outcome = Admitted | { readonly failure: unknown };

/** What lets claims in. */
export interface AdmissionsDeps {
  readonly db: Database;
  readonly policy: CurrentPolicy;
  readonly settlements: Settlements;
  readonly now: () => Date;
  /** The number under which this server lives; null before it has started. */
  readonly instance: () => number | null;
}

/** Judges groups of claims and lets them in. */
export class Admissions {
  readonly #deps: AdmissionsDeps;
  /** The database's clock less ours, in milliseconds, as of the last answer. */
  #aheadMs = 0;

  constructor(deps: AdmissionsDeps) {
    this.#deps = deps;
  }

  /** Answers what became of each, or throws what would have met any of them. */
  async admit(entrants: readonly Entrant[]): Promise<ReadonlyMap<Entrant, Outcome>> {
    const outcomes = new Map<Entrant, Outcome>();
    let left = entrants;
    let at = new Date(this.#deps.now().getTime() + this.#aheadMs);
    for (let tries = 0; left.length > 0; tries++) {
      if (tries === maxTries) throw restless();
      const policy = await this.#deps.policy.get();
      const candidates = judge(policy, left, at, outcomes);
      if (candidates.length === 0) break;
      const again = await this.#admit(policy, candidates, outcomes);
      left = again.entrants;
      at = again.at ?? at;
    }
    return outcomes;
  }

  /** Writes one group; answers who must be judged again, and as of when. */
  async #admit(
    policy: Policy,
    candidates: readonly Candidate[],
    outcomes: Map<Entrant, Outcome>,
  ): Promise<{ readonly entrants: readonly Entrant[]; readonly at?: Date }> {
    const { db, instance } = this.#deps;
    const question = askFor(policy.version, candidates);
    const answer = await repeatedOnce(() => admit(db, question, instance()));
    if (answer === "stale" || answer === "missing") {
      if (answer === "stale") await this.#deps.policy.after(policy);
      else await repeatedOnce(() => makeRooms(db, question.allowances, question.windows));
      return { entrants: candidates.map(({ entrant }) => entrant) };
    }
    this.#aheadMs = answer.admittedAt.getTime() - this.#deps.now().getTime();
    for (const [entrant, outcome] of outcomesOf(question, answer))
      outcomes.set(entrant, outcome instanceof Error ? { failure: outcome } : outcome);
    const entrants = misjudged(policy, question, answer);
    if (entrants.length > 0) await this.#takeBack(entrants);
    return { entrants, at: answer.admittedAt };
  }

  async #takeBack(entrants: readonly Entrant[]): Promise<void> {
    const ends = entrants.flatMap(({ claim }) =>
      claim === null ? [] : [{ projectId: claim.projectId, ends: claim.id, events: [] }],
    );
    await this.#deps.settlements.write(ends);
  }
}

/** Those whose needs are known; what keeps the others from being judged is noted as their outcome. */
function judge(
  policy: Policy,
  entrants: readonly Entrant[],
  at: Date,
  outcomes: Map<Entrant, Outcome>,
): readonly Candidate[] {
  return entrants.flatMap((entrant) => {
    try {
      return [{ entrant, terms: termsOf(policy, entrant, at) }];
    } catch (failure) {
      outcomes.set(entrant, { failure });
      return [];
    }
  });
}
