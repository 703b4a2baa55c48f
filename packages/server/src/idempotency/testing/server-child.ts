/**
 * @file A server process for the kill test. It prints "ready <port>", and "worked", "settled" or "part <n>" each time that
 * a request gets there; where its third argument says so, it stays there for ever. Arguments: the database's connection as JSON,
 * the secret, where to stay.
 */
import { writeSync } from "node:fs";
import { createDatabase } from "../../db/index.ts";
import { keyedServer } from "./keyed-server.ts";

const [connection = "{}", secret = "", stay = ""] = process.argv.slice(2);

/** Says where a request is, synchronously, and never returns from where it shall stay. */
async function reached(place: string): Promise<void> {
  writeSync(1, `${place}\n`);
  if (place === stay) await new Promise(() => {});
}

const server = await keyedServer({
  db: createDatabase(JSON.parse(connection)),
  secret,
  hooks: {
    worked: () => reached("worked"),
    settled: () => reached("settled"),
    part: (number) => reached(`part ${number}`),
  },
});
writeSync(1, `ready ${await server.http.listen("127.0.0.1", 0)}\n`);
