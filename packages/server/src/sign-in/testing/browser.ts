/** @file What a browser does with cookies, redirects and CSRF tokens; no more. */
import { parseSetCookie, type SetCookie } from "cookie";
import type { Http } from "../../http/index.ts";

/** How a call is made. */
export interface BrowserCall {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Instead of the cookies. */
  readonly key?: string;
}

/** An answer, its JSON, and the code of a failure. */
export interface BrowserAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers as clients do, and expect() is what checks them
  readonly json: any;
  readonly code: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  /** As they were set by this answer. */
  readonly cookies: readonly SetCookie[];
}

/** Keeps cookies and sends them, with the CSRF token of its last sign-in. */
export class Browser {
  readonly cookies = new Map<string, string>();
  csrfToken: string | undefined;
  readonly #http: Http;
  readonly #address: string;
  readonly #server: string;

  constructor(parts: { readonly http: Http; readonly address: string; readonly server?: string }) {
    this.#http = parts.http;
    this.#address = parts.address;
    this.#server = parts.server ?? "http://localhost:7070";
  }

  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async call(
    method: "GET" | "POST" | "PATCH" | "DELETE",
    path: string,
    { body, headers = {}, key }: BrowserCall = {},
  ): Promise<BrowserAnswer> {
    const own: Record<string, string | undefined> =
      key === undefined
        ? {
            cookie: this.cookieHeader || undefined,
            "x-csrf-token": method === "GET" ? undefined : this.csrfToken,
            origin: method === "GET" ? undefined : this.#server,
          }
        : { authorization: `Bearer ${key}` };
    const all = { host: new URL(this.#server).host, "user-agent": "a browser", ...own, ...headers };
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const answer = await this.#http.app.inject({
      method,
      url: path,
      headers: sent as Record<string, string>,
      remoteAddress: this.#address,
      ...(body === undefined ? {} : { payload: body }),
    });
    const cookies = [answer.headers["set-cookie"] ?? []].flat().map((text) => parseSetCookie(text));
    if (key === undefined) this.#keep(cookies);
    const json = answer.body === "" ? undefined : answer.json();
    if (typeof json?.csrf_token === "string" && key === undefined) this.csrfToken = json.csrf_token;
    return { status: answer.statusCode, json, code: json?.error?.code, headers: answer.headers, cookies };
  }

  #keep(cookies: readonly SetCookie[]): void {
    for (const { name, value, maxAge } of cookies)
      if (value === undefined || value === "" || maxAge === 0) this.cookies.delete(name);
      else this.cookies.set(name, value);
  }
}
