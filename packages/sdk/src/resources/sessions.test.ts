import { expect, it } from "vitest";
import { Gristmill } from "../client.ts";
import { sendJson, serve } from "../testing/serve.ts";

const person = { email: "ada@example.com", password: "correct horse battery" };

it("a person signs in once, and every further call carries the session's cookie and token, and no key", async () => {
  const { baseUrl, received } = await serve((request, response) => {
    if (request.method !== "POST") return sendJson(response, 200, {});
    response.setHeader("set-cookie", [
      "gristmill_session=s1; HttpOnly; Path=/",
      "gristmill_device=d; Path=/api",
      "old=; Max-Age=0",
    ]);
    return sendJson(response, 201, { csrf_token: "t1" });
  });
  const client = await Gristmill.signIn({ baseUrl, project: "vision" }, person);
  await client.sessions.signOut();
  const [first, second] = received;
  expect(JSON.parse(String(first?.body))).toEqual(person);
  expect(first?.headers).not.toHaveProperty("authorization");
  expect(first?.headers).not.toHaveProperty("idempotency-key");
  expect(second?.headers).toMatchObject({
    cookie: "gristmill_session=s1; gristmill_device=d",
    "x-csrf-token": "t1",
    "gristmill-project": "vision",
  });
});

it("a sign-in whose answer was lost is not repeated: it would leave a session behind", async () => {
  const { baseUrl, received } = await serve((_, response) => response.destroy());
  await expect(Gristmill.signIn({ baseUrl }, person)).rejects.toMatchObject({ code: "client.unreachable" });
  expect(received).toHaveLength(1);
});

it("an answer without a session is said to be none", async () => {
  const { baseUrl } = await serve((_, response) => sendJson(response, 201, { csrf_token: "t" }));
  const join = Gristmill.join({ baseUrl }, { token: "x", name: "Ada", password: person.password });
  await expect(join).rejects.toMatchObject({ code: "client.unexpected_answer" });
});
