/** @file A process that starts a program as a server does, says its number, and waits to be killed. */
import { startServerProcess } from "../server-process.ts";

const server = await startServerProcess("/bin/sleep", ["600"], {});
console.log(server.pid);
await server.exited;
