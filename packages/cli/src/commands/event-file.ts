/** @file Events from a file: one a line, or one JSON list. */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { type NewEvent, readLines } from "@gristmill/sdk";
import { CliError } from "../failure.ts";

/** Reads events as they are needed. @param file a path, or "-" for `stdin`. @throws CliError naming the line. */
export async function* eventsOfFile(file: string, stdin: Readable): AsyncGenerator<NewEvent> {
  const name = file === "-" ? "standard input" : file;
  const stream = file === "-" ? stdin : createReadStream(file);
  let number = 0;
  let list: string[] | undefined;
  try {
    for await (const line of readLines(stream)) {
      number += 1;
      // A list may spread over any number of lines: it is read whole.
      if (number === 1 && line.trimStart().startsWith("[")) list = [];
      if (list !== undefined) list.push(line);
      else yield parsed(line, `${name}, line ${number}`);
    }
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("cli.unreadable_file", `${name}: can't be read (${reason}).`, "Check the path of the file.");
  }
  if (list === undefined) return;
  const events = parsedJson(list.join("\n"), name);
  if (!Array.isArray(events)) throw notEvents(name, "a JSON list");
  for (const [i, event] of events.entries()) yield checked(event, `${name}, event ${i + 1}`);
}

const notEvents = (where: string, expected: string): CliError =>
  new CliError(
    "cli.wrong_event",
    `${where}: expected ${expected}.`,
    `Such as {"id": "1", "source": "shop", "type": "com.example.sale"}`,
  );

function parsedJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notEvents(where, "JSON");
  }
}

const parsed = (text: string, where: string): NewEvent => checked(parsedJson(text, where), where);

/** Only what names an event is looked at here: the server sets aside what is wrong in it, and says why. */
function checked(event: unknown, where: string): NewEvent {
  if (typeof event !== "object" || event === null || Array.isArray(event)) throw notEvents(where, "a JSON object");
  return event as NewEvent;
}
