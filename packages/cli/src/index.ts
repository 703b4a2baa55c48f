/** @file cli: the `gristmill` command. Read in this order: main, cli, program, session, commands. What examples share with it: starting a server, and drawing. */
export { usageText } from "./commands/usage.ts";
export { defaultUrl, type Env, findServer, homeOf, readAdminKey, type ServerRecord } from "./home.ts";
export { drawPicture } from "./image/draw.ts";
export { drawGallery, type GalleryItem } from "./image/gallery.ts";
export { decodePng, type Picture } from "./image/png.ts";
export { isReady, logPath, startDetached, stopServer } from "./server/launch.ts";
export { bar, chart } from "./terminal/bars.ts";
export type { Paint } from "./terminal/paint.ts";
export { type Progress, startProgress } from "./terminal/progress.ts";
export { runOutcome, runProgressText, watchRun } from "./terminal/run-progress.ts";
export { type Screen, screenOf } from "./terminal/screen.ts";
export { facts, table } from "./terminal/table.ts";
export { formatBytes, formatCount, formatSeconds, formatShare } from "./terminal/words.ts";
