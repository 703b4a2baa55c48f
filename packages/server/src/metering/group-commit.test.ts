import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { GroupCommit, type GroupCommitOptions, type Refusal } from "./group-commit.ts";

/** A commit that the test ends by hand. */
interface Commit {
  readonly group: readonly string[];
  succeed(): void;
  fail(error: Error): void;
}

/** Lets every continuation that is due run. */
const settle = () => vi.advanceTimersByTimeAsync(0);

const refused = (reason: Refusal) => new Error(`refused: ${reason}`);
const isShared = (error: unknown) => error instanceof Error && error.message === "away";

function queue(options: Partial<GroupCommitOptions<string, string>> = {}) {
  const commits: Commit[] = [];
  const abandoned: string[] = [];
  const group = new GroupCommit<string, string>({
    commit: (items) => {
      const { promise, resolve, reject } = Promise.withResolvers<(item: string) => string>();
      commits.push({ group: items, succeed: () => resolve((item) => `${item} done`), fail: reject });
      return promise;
    },
    isShared,
    refusal: refused,
    onAbandoned: (item) => abandoned.push(item),
    sizeOf: () => 1,
    maxGroupSize: 3,
    maxWaiting: 5,
    timeoutMs: 1000,
    ...options,
  });
  /** Ends the commits one after the other until none is left. */
  const succeedAll = async () => {
    for (let next = 0; next < commits.length; next++) {
      commits[next]?.succeed();
      await settle();
    }
  };
  return { group, commits, abandoned, succeedAll };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("groups", () => {
  test("[MET3] a commit starts at once when none is running, and what arrives meanwhile goes together in the next", async () => {
    const { group, commits, succeedAll } = queue();
    const answers = Promise.all(["a", "b", "c"].map((item) => group.submit(item)));
    expect(commits.map((commit) => commit.group)).toEqual([["a"]]);
    await succeedAll();
    expect(commits.map((commit) => commit.group)).toEqual([["a"], ["b", "c"]]);
    expect(await answers).toEqual(["a done", "b done", "c done"]);
  });

  test("[MET3] callers that come right back go together again, and do not fall apart", async () => {
    const { group, commits, succeedAll } = queue();
    const caller = async (name: string) => {
      for (let round = 0; round < 4; round++) await group.submit(name);
    };
    const callers = Promise.all(["a", "b", "c"].map(caller));
    await succeedAll();
    await callers;
    const sizes = commits.map((commit) => commit.group.length);
    expect(sizes).toEqual([1, 3, 3, 3, 2]);
  });

  test("a group is as large as its rows allow, and an item that is larger goes alone", async () => {
    const { group, commits, succeedAll } = queue({ sizeOf: (item) => item.length });
    const answers = Promise.all(["a", "bb", "c", "ddddd", "e"].map((item) => group.submit(item)));
    await succeedAll();
    await answers;
    expect(commits.map((commit) => commit.group)).toEqual([["a"], ["bb", "c"], ["ddddd"], ["e"]]);
  });

  test("a queue that has run empty starts again with the next item", async () => {
    const { group, commits, succeedAll } = queue();
    for (const item of ["a", "b"]) {
      const answer = group.submit(item);
      await succeedAll();
      expect(await answer).toBe(`${item} done`);
    }
    expect(commits).toHaveLength(2);
  });

  test("[MET3] each item gets its own result, in order and once, whatever arrives when", async () => {
    const arrival = fc.record({ commitsBefore: fc.nat(3), size: fc.integer({ min: 1, max: 5 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(arrival, { maxLength: 40 }), async (arrivals) => {
        const written: number[] = [];
        const commits: (() => void)[] = [];
        const group = new GroupCommit<{ place: number; size: number }, number>({
          commit: (items) => {
            const sizes = items.map((item) => item.size);
            expect(items.length === 1 || sizes.reduce((sum, size) => sum + size) <= 6).toBe(true);
            written.push(...items.map((item) => item.place));
            return new Promise((resolve) => commits.push(() => resolve(({ place }) => place * 2)));
          },
          isShared,
          refusal: refused,
          onAbandoned: () => expect.unreachable(),
          sizeOf: (item) => item.size,
          maxGroupSize: 6,
          maxWaiting: 100,
          timeoutMs: 60_000,
        });
        const commitNext = async () => {
          commits.shift()?.();
          await settle();
        };
        const answers: Promise<number>[] = [];
        for (const [place, { commitsBefore, size }] of arrivals.entries()) {
          for (let done = 0; done < commitsBefore; done++) await commitNext();
          answers.push(group.submit({ place, size }));
        }
        while (commits.length > 0) await commitNext();
        expect(await Promise.all(answers)).toEqual(arrivals.map((_, place) => place * 2));
        expect(written).toEqual(arrivals.map((_, place) => place));
      }),
      { numRuns: 200 },
    );
  });
});

describe("failures", () => {
  test("[MET8] a failure of one item's own making is met by that item alone", async () => {
    const { group } = queue({
      commit: async (items) => {
        if (items.includes("bad")) throw new Error("bad row");
        return (item) => item;
      },
    });
    const answers = Promise.allSettled(["a", "b", "bad", "c"].map((item) => group.submit(item)));
    await settle();
    expect(await answers).toEqual([
      { status: "fulfilled", value: "a" },
      { status: "fulfilled", value: "b" },
      { status: "rejected", reason: new Error("bad row") },
      { status: "fulfilled", value: "c" },
    ]);
  });

  test("a failure that would meet everybody is told to the whole group, which is not tried again", async () => {
    const { group, commits } = queue();
    const answers = Promise.allSettled(["a", "b", "c"].map((item) => group.submit(item)));
    commits[0]?.succeed();
    await settle();
    commits[1]?.fail(new Error("away"));
    await settle();
    const reasons = (await answers).map((answer) => (answer.status === "rejected" ? String(answer.reason) : "fine"));
    expect(reasons).toEqual(["fine", "Error: away", "Error: away"]);
    expect(commits).toHaveLength(2);
  });

  test("an item without a result fails alone", async () => {
    const { group } = queue({
      commit: async () => (item) => {
        if (item === "b") throw new Error("no result");
        return item;
      },
    });
    const answers = Promise.allSettled(["a", "b", "c"].map((item) => group.submit(item)));
    await settle();
    expect((await answers).map((answer) => answer.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });
});

describe("bounds", () => {
  test("[MET9] a full queue refuses what comes, and takes again when there is room", async () => {
    const { group, succeedAll } = queue();
    const running = group.submit("running");
    const waiting = Array.from({ length: 5 }, (_, place) => group.submit(`waiting ${place}`));
    await expect(group.submit("one too many")).rejects.toThrow("refused: full");
    await succeedAll();
    await Promise.all([running, ...waiting]);
    const next = group.submit("next");
    await succeedAll();
    expect(await next).toBe("next done");
  });

  test("[MET9] a commit that takes too long lets go of all, refuses what comes, and takes again when it has ended", async () => {
    const { group, commits, abandoned, succeedAll } = queue();
    const answers = Promise.allSettled([group.submit("sent"), group.submit("waiting")]);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await answers).map((answer) => answer.status === "rejected" && String(answer.reason))).toEqual([
      "Error: refused: late",
      "Error: refused: late",
    ]);
    await expect(group.submit("meanwhile")).rejects.toThrow("refused: late");
    commits[0]?.succeed();
    await settle();
    expect(abandoned).toEqual(["sent"]);
    const next = group.submit("next");
    await succeedAll();
    expect(await next).toBe("next done");
    expect(commits.map((commit) => commit.group)).toEqual([["sent"], ["next"]]);
  });
});

describe("leaving", () => {
  const reason = new Error("the client left");

  test("an aborted caller that waits is never written", async () => {
    const { group, commits, abandoned, succeedAll } = queue();
    const left = new AbortController();
    const first = group.submit("a");
    const second = group.submit("b", left.signal);
    left.abort(reason);
    await expect(second).rejects.toBe(reason);
    await succeedAll();
    await first;
    expect(commits.map((commit) => commit.group)).toEqual([["a"]]);
    expect(abandoned).toEqual([]);
  });

  test("an aborted caller whose item was sent is let go at once, and what was written for it is told", async () => {
    const { group, abandoned, succeedAll } = queue();
    const left = new AbortController();
    const answer = group.submit("a", left.signal);
    left.abort(reason);
    await expect(answer).rejects.toBe(reason);
    expect(abandoned).toEqual([]);
    await succeedAll();
    expect(abandoned).toEqual(["a"]);
  });

  test("a caller that has left already is not taken, and one that leaves after its answer changes nothing", async () => {
    const { group, commits, abandoned, succeedAll } = queue();
    await expect(group.submit("a", AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(commits).toHaveLength(0);
    const left = new AbortController();
    const answer = group.submit("b", left.signal);
    await succeedAll();
    expect(await answer).toBe("b done");
    left.abort(reason);
    expect(abandoned).toEqual([]);
  });
});

describe("stopping", () => {
  test("takes no more, writes what waits, and resolves when all have their answer", async () => {
    const { group, succeedAll } = queue();
    const answers = Promise.all([group.submit("a"), group.submit("b")]);
    let isStopped = false;
    const stopped = group.stop().then(() => {
      isStopped = true;
    });
    await expect(group.submit("c")).rejects.toThrow("refused: stopped");
    await settle();
    expect(isStopped).toBe(false);
    await succeedAll();
    expect(await answers).toEqual(["a done", "b done"]);
    await stopped;
    await group.stop();
  });

  test("does not wait for a commit that is late, neither before nor after it became so", async () => {
    const { group, commits } = queue();
    const answer = group.submit("a");
    answer.catch(() => {});
    const stopped = group.stop();
    await vi.advanceTimersByTimeAsync(1000);
    await stopped;
    await group.stop();
    await expect(answer).rejects.toThrow("refused: late");
    commits[0]?.succeed();
    await settle();
  });
});
