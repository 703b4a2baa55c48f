/** @file server: the platform as a library, for tests and tools; `main.ts` is its process. */
export { type App, type AppOptions, startApp } from "./app.ts";
export { type Command, type Config, configHelp, readConfig } from "./config.ts";
export { nodeVersionProblem } from "./node-version.ts";
