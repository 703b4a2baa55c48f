/** @file telemetry: what the platform says of itself. */
export { createLog, type LogLevel, type WriteLine, withoutSecrets } from "./log.ts";
export { LogFile, type LogFileOptions } from "./log-file.ts";
