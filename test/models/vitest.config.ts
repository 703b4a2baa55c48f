/** @file Tests that need real models: started by `npm run test:models`, which fetches them; `npm test` needs none. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/models/**/*.models.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
