/** @file What a run leaves behind: a log, a report, curves, models, in a folder of its own. */
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The folder of one run. */
export class RunFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder; files of an earlier run in it are written over, its log begun anew. */
  static async open(path: string): Promise<RunFolder> {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "log.jsonl"), "");
    return new RunFolder(path);
  }

  /** Adds a line to log.jsonl: it is there when the promise resolves, whatever happens to the run later. */
  log(entry: Readonly<Record<string, unknown>>): Promise<void> {
    return appendFile(join(this.path, "log.jsonl"), `${JSON.stringify(entry)}\n`);
  }

  /** Writes a file. @returns its path. */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.path, name);
    await writeFile(path, content);
    return path;
  }
}
