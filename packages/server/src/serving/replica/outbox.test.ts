import { expect, it } from "vitest";
import { Outbox } from "./outbox.ts";

it("[SRV3] what is said in one turn crosses together, in order, and later things later", async () => {
  const crossings: (readonly number[])[] = [];
  const outbox = new Outbox<number>((messages) => crossings.push(messages));
  outbox.add(1);
  const chains = [2, 3].map(async (message) => {
    await Promise.resolve();
    await Promise.resolve();
    outbox.add(message);
  });
  await Promise.all(chains);
  await new Promise((resolve) => setImmediate(resolve));
  outbox.add(4);
  expect(crossings.flat()).toEqual([1, 2, 3]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(crossings.flat()).toEqual([1, 2, 3, 4]);
  expect(crossings.length).toBeLessThan(4);
});
