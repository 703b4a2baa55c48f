/** @file Who waits for a twin: bounded in all and for each project, so that one project's twins never take another's places. */

/** How many may wait in this server at a time. */
export interface Seats {
  readonly total: number;
  readonly perProject: number;
}

/** Counts who waits. */
export class WaitingRoom {
  readonly #seats: Seats;
  readonly #taken = new Map<string, number>();
  #total = 0;

  constructor(seats: Seats) {
    this.#seats = seats;
  }

  hasSeat(projectId: string): boolean {
    return this.#total < this.#seats.total && (this.#taken.get(projectId) ?? 0) < this.#seats.perProject;
  }

  /** Holds a seat until the work has ended. */
  async during(projectId: string, work: () => Promise<void>): Promise<void> {
    this.#change(projectId, 1);
    try {
      await work();
    } finally {
      this.#change(projectId, -1);
    }
  }

  #change(projectId: string, by: 1 | -1): void {
    this.#total += by;
    const taken = (this.#taken.get(projectId) ?? 0) + by;
    if (taken === 0) this.#taken.delete(projectId);
    else this.#taken.set(projectId, taken);
  }
}
