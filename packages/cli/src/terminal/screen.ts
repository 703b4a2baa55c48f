import type { WriteStream } from "node:tty";
import { hasColours, type Paint, painter } from "./paint.ts";

/** Where text is shown, and what can be shown there. */
export interface Screen {
  readonly stream: NodeJS.WritableStream;
  /** A person looks at it. */
  readonly isTerminal: boolean;
  readonly colours: boolean;
  readonly columns: number;
  readonly paint: Paint;
}

/** Width assumed where none is known. */
const defaultColumns = 80;

/** What a standard stream can show. */
export function screenOf(stream: WriteStream, env: Readonly<Record<string, string | undefined>>): Screen {
  const isTerminal = stream.isTTY === true;
  const colours = hasColours(isTerminal, env);
  const fixed = Number(env["COLUMNS"]);
  return {
    stream,
    isTerminal,
    colours,
    // Read anew each time: windows change their size.
    get columns() {
      return (isTerminal ? stream.columns : fixed) || defaultColumns;
    },
    paint: painter(colours),
  };
}
