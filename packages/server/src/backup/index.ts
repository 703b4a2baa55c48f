/** @file backup: one file with everything, and back. Rules [BAK…] are in README.md. */
export { type BackupOptions, type BackupSummary, backup } from "./backup.ts";
export { type RestoreOptions, restore } from "./restore.ts";
