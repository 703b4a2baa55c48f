/**
 * @file Exactly once, seen: clients send work until it is answered, while the server, a replica and PostgreSQL are killed.
 * At the end the ledger must hold what the clients counted, no more and no less.
 */
import { type Count, client } from "./client.ts";
import { ChaosPlatform, type Victim, victims } from "./platform.ts";
import { seeded } from "./random.ts";

/** How much, and how rough. */
export interface ChaosOptions {
  /** Pieces of work: inference requests and batches of events. */
  readonly pieces: number;
  /** How often each victim is killed. */
  readonly killsEach: number;
  readonly seed: number;
  /** Told after every kill. */
  readonly onKill?: (victim: Victim, answered: number) => void;
  readonly onProgress?: (answered: number) => void;
}

/** What was found. */
export interface ChaosReport {
  /** What the clients know to be answered. */
  readonly answered: Count;
  /** What the ledger has. */
  readonly counted: Count;
  readonly faults: readonly string[];
  readonly kills: number;
  readonly seconds: number;
}

const clients = 8;
/** Each client keeps so many pieces in the air. */
const hands = 4;

/** Runs it on a home of its own, and removes that. */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { pieces, killsEach, seed, onKill = () => {}, onProgress = () => {} } = options;
  const platform = await ChaosPlatform.create();
  const failed = new AbortController();
  const began = performance.now();
  try {
    const key = await platform.adminKey();
    const answered: Count = { requests: 0, rows: 0, events: 0, units: 0 };
    let done = 0;
    const plan = killPlan(pieces, killsEach);
    let killing: Promise<void> = Promise.resolve();
    const onAnswered = (count: (total: Count) => void): void => {
      count(answered);
      done++;
      onProgress(done);
      const next = plan[0];
      if (next === undefined || done < next.after) return;
      plan.shift();
      killing = killing.then(async () => {
        await platform.kill(next.victim);
        onKill(next.victim, done);
      });
      killing.catch((error: unknown) => failed.abort(error));
    };
    const share = Math.ceil(pieces / (clients * hands));
    await Promise.all(
      Array.from({ length: clients * hands }, (_, index) => {
        const target = { url: platform.url, key, signal: failed.signal };
        const work = client(`s${seed}-c${index}`, share, target, seeded(seed * 1000 + index), onAnswered);
        work.catch((error: unknown) => failed.abort(error));
        return work;
      }),
    );
    await killing;
    const { counted, faults } = await platform.ledger();
    const seconds = (performance.now() - began) / 1000;
    return { answered, counted, faults, kills: victims.length * killsEach - plan.length, seconds };
  } finally {
    await platform.remove();
  }
}

/** Kills spread evenly over the work, the victims taking turns. */
function killPlan(pieces: number, killsEach: number): { victim: Victim; after: number }[] {
  const total = victims.length * killsEach;
  return Array.from({ length: total }, (_, index) => ({
    victim: victims[index % victims.length] ?? "server",
    after: Math.floor((pieces * (index + 1)) / (total + 1)),
  }));
}
