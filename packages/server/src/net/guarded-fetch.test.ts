import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createGuardedFetch } from "./guarded-fetch.ts";
import { type TestServer, testCertificate, testServer } from "./testing/servers.ts";

const loopback = ["127.0.0.0/8"];
const open: TestServer[] = [];
const serve = async (handle: RequestListener, options?: { readonly tls?: boolean }): Promise<TestServer> => {
  const server = await testServer(handle, options);
  open.push(server);
  return server;
};
const ok: RequestListener = (_request, response) => response.end("ok");
const forbidden = expect.objectContaining({ code: "url.forbidden" });
const unreachable = expect.objectContaining({ code: "url.unreachable" });

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

describe("[NET1] what is not public is not called", () => {
  it("however the host is written", async () => {
    const server = await serve(ok);
    const fetch = createGuardedFetch({ allowedAddresses: [] });
    const hosts = [
      "127.0.0.1",
      "2130706433",
      "0177.0.0.1",
      "0x7f.0.0.1",
      "127.1",
      "localhost",
      "[::1]",
      "[::ffff:127.0.0.1]",
    ];
    for (const scheme of ["http", "https"])
      for (const host of [...hosts, "[::ffff:7f00:1]", "0", "0.0.0.0", "169.254.169.254", "①②⑦.0.0.1"])
        await expect(fetch(`${scheme}://${host}:${server.port}/`), host).rejects.toEqual(forbidden);
    expect(server.connections()).toBe(0);
  });

  it("by a name that leads there, alone or beside a public address", async () => {
    const server = await serve(ok);
    for (const addresses of [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::ffff:127.0.0.1"], ["fd00::1"]]) {
      const fetch = createGuardedFetch({ allowedAddresses: [], lookup: async () => addresses });
      await expect(fetch(`https://hooks.example:${server.port}/`)).rejects.toEqual(forbidden);
    }
    expect(server.connections()).toBe(0);
  });

  it("unless the operator allows it", async () => {
    const server = await serve(ok);
    const fetch = createGuardedFetch({ allowedAddresses: loopback });
    expect(await (await fetch(server.url)).text()).toBe("ok");
  });
});

describe("[NET2] the connection goes to the checked address", () => {
  it("though the name leads elsewhere when it is asked again", async () => {
    const server = await serve(ok);
    const answers = [["127.0.0.1"], ["127.0.0.2"]];
    const lookup = vi.fn(async () => answers.shift() ?? ["10.0.0.1"]);
    const fetch = createGuardedFetch({ allowedAddresses: ["127.0.0.1"], lookup });
    expect(await (await fetch(`http://rebinding.example:${server.port}/`)).text()).toBe("ok");
    expect(lookup).toHaveBeenCalledTimes(1);
    await expect(fetch(`http://rebinding.example:${server.port}/`)).rejects.toEqual(forbidden);
    expect(server.connections()).toBe(1);
  });

  it("and the certificate must be the name's", async () => {
    const server = await serve((request, response) => response.end(request.headers.host), { tls: true });
    const options = { allowedAddresses: loopback, lookup: async () => ["127.0.0.1"] };
    const fetch = createGuardedFetch({ ...options, extraCertificates: testCertificate() });
    const answer = await fetch(`https://hooks.example:${server.port}/`);
    expect(await answer.text()).toBe(`hooks.example:${server.port}`);
    await expect(fetch(`https://other.example:${server.port}/`)).rejects.toEqual(unreachable);
    await expect(createGuardedFetch(options)(`https://hooks.example:${server.port}/`)).rejects.toEqual(unreachable);
  });

  it("a name without an address can't be reached", async () => {
    const fetch = createGuardedFetch({ allowedAddresses: [], lookup: async () => [] });
    await expect(fetch("https://nowhere.example/")).rejects.toEqual(unreachable);
  });
});

describe("[NET3] redirects", () => {
  const redirecting = (location: string, status = 302) =>
    serve((_request, response) => response.writeHead(status, { location }).end());

  it("to what is not public are refused, whatever they are written as", async () => {
    const inner = await serve(ok);
    const fetch = createGuardedFetch({ allowedAddresses: ["127.0.0.1"], lookup: async () => ["127.0.0.3"] });
    for (const host of ["127.0.0.2", "[::1]", "2130706434", "inner.example"]) {
      const outer = await redirecting(`http://${host}:${inner.port}/`);
      await expect(fetch(outer.url), host).rejects.toEqual(forbidden);
    }
    for (const location of ["file:///etc/passwd", "gopher://127.0.0.1/", "//user:secret@127.0.0.1/"]) {
      const outer = await redirecting(location);
      await expect(fetch(outer.url), location).rejects.toEqual(forbidden);
    }
    expect(inner.connections()).toBe(0);
  });

  it("are followed five times at most", async () => {
    const round = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end("there");
      else response.writeHead(307, { location: `/${left - 1}` }).end();
    });
    const fetch = createGuardedFetch({ allowedAddresses: loopback });
    const answer = await fetch(`${round.url}/5`);
    expect([await answer.text(), answer.url]).toEqual(["there", `${round.url}/0`]);
    await expect(fetch(`${round.url}/6`)).rejects.toEqual(unreachable);
    expect((await fetch(`${round.url}/6`, { redirect: "manual" })).status).toBe(307);
    await expect(fetch(`${round.url}/6`, { redirect: "error" })).rejects.toEqual(unreachable);
  });

  it("carry neither key nor cookie to another origin, and a form no further than a GET", async () => {
    const seen: unknown[] = [];
    const see: RequestListener = async (request, response) => {
      const { authorization, cookie } = request.headers;
      const body = (await request.toArray()).join("");
      seen.push([
        request.method,
        authorization,
        cookie,
        request.headers["content-type"],
        request.headers["x-other"],
        body,
      ]);
      response.end();
    };
    const end = await serve(see);
    const post = {
      method: "POST",
      headers: { authorization: "Bearer k", cookie: "c=1", "x-other": "o", "content-type": "text/plain" },
      body: "form",
    };
    const fetch = createGuardedFetch({ allowedAddresses: loopback });
    await fetch((await redirecting(end.url, 307)).url, post);
    await fetch((await redirecting(end.url, 302)).url, post);
    await fetch(end.url, post);
    expect(seen).toEqual([
      ["POST", undefined, undefined, "text/plain", "o", "form"],
      ["GET", undefined, undefined, undefined, "o", ""],
      ["POST", "Bearer k", "c=1", "text/plain", "o", "form"],
    ]);
  });
});

describe("[NET4] plain http", () => {
  it("is refused for public addresses", async () => {
    const fetch = createGuardedFetch({ allowedAddresses: loopback, lookup: async () => ["1.1.1.1"] });
    await expect(fetch("http://hooks.example/")).rejects.toEqual(forbidden);
  });
});

describe("[NET5] answers are bounded", () => {
  it("in time: before the headers, in the body, and while the name is resolved", async () => {
    const silent = await serve(() => {});
    const dripping = await serve((_request, response) => {
      const timer = setInterval(() => response.write("."), 20);
      response.once("close", () => clearInterval(timer));
    });
    const fetch = createGuardedFetch({ allowedAddresses: loopback, timeoutMs: 300 });
    await expect(fetch(silent.url)).rejects.toEqual(unreachable);
    await expect((await fetch(dripping.url)).text()).rejects.toEqual(unreachable);
    const unresolved = createGuardedFetch({
      allowedAddresses: [],
      timeoutMs: 100,
      lookup: () => new Promise(() => {}),
    });
    await expect(unresolved("https://slow.example/")).rejects.toEqual(unreachable);
  });

  it("in size, and the sender is hung up on", async () => {
    let sent = 0;
    const closed = Promise.withResolvers<void>();
    const endless = await serve((_request, response) => {
      response.once("close", () => closed.resolve());
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on("drain", more);
      more();
    });
    const fetch = createGuardedFetch({ allowedAddresses: loopback, maxBytes: 100_000 });
    await expect((await fetch(endless.url)).arrayBuffer()).rejects.toEqual(unreachable);
    await closed.promise;
    expect(sent).toBeLessThan(32 * 1_048_576);
  });

  it("in what they unpack to: a compressed answer is refused", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1_048_576));
    const asked: unknown[] = [];
    const server = await serve((request, response) => {
      asked.push(request.headers["accept-encoding"]);
      response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
    });
    await expect(createGuardedFetch({ allowedAddresses: loopback })(server.url)).rejects.toEqual(unreachable);
    expect(asked).toEqual(["identity"]);
  });

  it("in headers, and in what is no HTTP at all", async () => {
    const large = await serve((_request, response) => {
      response.writeHead(200, { "x-large": "x".repeat(64_000) }).end();
    });
    const fetch = createGuardedFetch({ allowedAddresses: loopback });
    await expect(fetch(large.url)).rejects.toEqual(unreachable);
    const raw = createServer((socket) =>
      socket
        .resume()
        .on("error", () => {})
        .end("220 mail.example ESMTP\r\n"),
    ).listen(0, "127.0.0.1");
    await once(raw, "listening");
    const { port } = raw.address() as { port: number };
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toEqual(unreachable);
    raw.close();
    await once(raw, "close");
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toEqual(unreachable);
  });

  it("a body that nobody reads is closed at the deadline, and one that is cancelled at once", async () => {
    const closed: Promise<unknown>[] = [];
    const server = await serve((_request, response) => {
      closed.push(once(response, "close"));
      response.write("first");
    });
    const fetch = createGuardedFetch({ allowedAddresses: loopback, timeoutMs: 300 });
    await fetch(server.url);
    await closed[0];
    const patient = createGuardedFetch({ allowedAddresses: loopback });
    await (await patient(server.url)).body?.cancel();
    await closed[1];
    expect(closed).toHaveLength(2);
  });

  it("a caller that aborts hears its own reason", async () => {
    const server = await serve(() => {});
    const reason = new Error("the caller went");
    const controller = new AbortController();
    const answer = createGuardedFetch({ allowedAddresses: loopback })(server.url, { signal: controller.signal });
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
  });

  it("an answer without a body has none", async () => {
    const server = await serve((_request, response) => response.writeHead(204).end());
    const answer = await createGuardedFetch({ allowedAddresses: loopback })(server.url);
    expect([answer.status, answer.body, await answer.text()]).toEqual([204, null, ""]);
  });
});

describe("[NET6] nothing of the machine's", () => {
  it("no proxy of the environment is asked", async () => {
    const proxy = await serve(ok);
    const server = await serve((_request, response) => response.end("itself"));
    vi.stubEnv("http_proxy", proxy.url).stubEnv("HTTP_PROXY", proxy.url).stubEnv("NODE_USE_ENV_PROXY", "1");
    const answer = await createGuardedFetch({ allowedAddresses: loopback })(server.url);
    vi.unstubAllEnvs();
    expect([await answer.text(), proxy.connections()]).toEqual(["itself", 0]);
  });

  it("a URL with a password, of another scheme, or that is none, is refused", async () => {
    const fetch = createGuardedFetch({ allowedAddresses: loopback });
    for (const url of ["https://user:secret@hooks.example/", "ftp://hooks.example/", "data:text/plain,x", "hooks"])
      await expect(fetch(url), url).rejects.toEqual(forbidden);
  });
});
