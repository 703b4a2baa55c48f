import { describe, expect, it } from "vitest";
import { Slots } from "./slots.ts";

const calm = new AbortController().signal;

describe("slots", () => {
  it("are given in order of arrival, and refused when too many wait", async () => {
    const slots = new Slots(1, 2);
    const order: string[] = [];
    const leave = await slots.enter(calm);
    const enter = async (name: string) => {
      const done = await slots.enter(calm);
      order.push(name);
      done();
    };
    const others = [enter("b"), enter("c")];
    await expect(slots.enter(calm)).rejects.toThrow("2 requests are waiting already");
    expect(slots.load).toEqual({ slots: 1, busySlots: 1, waiting: 2 });
    leave();
    await Promise.all(others);
    expect(order).toEqual(["b", "c"]);
    expect(slots.load).toEqual({ slots: 1, busySlots: 0, waiting: 0 });
  });

  it("go to nobody who left in the same tick", async () => {
    const slots = new Slots(1, 5);
    const leave = await slots.enter(calm);
    const abort = new AbortController();
    const gone = slots.enter(abort.signal);
    const next = slots.enter(calm);
    abort.abort(new Error("left"));
    leave();
    await expect(gone).rejects.toThrow("left");
    (await next)();
    expect(slots.load.busySlots).toBe(0);
  });

  it("closing ends those that wait", async () => {
    const slots = new Slots(1, 5);
    await slots.enter(calm);
    const waiting = slots.enter(calm);
    slots.close();
    await expect(waiting).rejects.toThrow("the engine is closed");
    await expect(slots.enter(calm)).rejects.toThrow("the engine is closed");
  });
});
