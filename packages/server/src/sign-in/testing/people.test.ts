import type { OrganizationId } from "@gristmill/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { insertTestPerson, signInTestPerson } from "./people.ts";
import { adminKey, type TestPlatform, testPlatform } from "./platform.ts";

let platform: TestPlatform;
beforeEach(async () => {
  platform = await testPlatform();
});
afterEach(() => platform.close());

test("people of rows and people of routes are let in with their role, for changes too", async () => {
  const projects = await platform.browser().call("GET", "/api/projects", { key: adminKey });
  const organizationId = projects.json.data[0].organization_id as OrganizationId;
  const people = [
    await insertTestPerson(platform.db, { role: "admin", organizationId }),
    await signInTestPerson(platform.http, { adminKey, role: "admin" }),
    await signInTestPerson(platform.http, { adminKey, role: "viewer", project: "default" }),
  ];
  const statuses = [];
  for (const { headers, userId, email } of people) {
    const { app } = platform.http;
    const own = await app.inject({ url: "/api/session", headers });
    expect(own.json().user).toMatchObject({ id: userId, email });
    const payload = { email: `friend-of-${email}`, role: "viewer" };
    statuses.push((await app.inject({ method: "POST", url: "/api/invitations", headers, payload })).statusCode);
  }
  expect(statuses).toEqual([201, 201, 403]);
});
