/** @file Is it alive, is it ready: for load balancers and start scripts. */
import { AppError } from "@gristmill/contract";
import { z } from "zod";
import { type Route, route } from "./route.ts";

const status = z.object({ status: z.literal("ok") });

/** `/healthz`: this process answers. `/readyz`: it also has all that it needs; `check` throws what is missing. */
export const healthRoutes = (check: () => Promise<void>): readonly Route[] => [
  route({
    method: "GET",
    path: "/healthz",
    summary: "Is the process alive?",
    tag: "Health",
    access: { public: "load balancers and start scripts ask without a key" },
    charge: { free: "a health check" },
    response: status,
    handler: async () => ({ body: { status: "ok" } }),
  }),
  route({
    method: "GET",
    path: "/readyz",
    summary: "Can the server serve?",
    tag: "Health",
    access: { public: "load balancers and start scripts ask without a key" },
    charge: { free: "a health check" },
    response: status,
    handler: async () => {
      try {
        await check();
      } catch (cause) {
        if (cause instanceof AppError) throw cause;
        throw new AppError("database.unavailable", "The server can't serve yet.", { cause });
      }
      return { body: { status: "ok" } };
    },
  }),
];
