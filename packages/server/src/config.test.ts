import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { configHelp, readConfig } from "./config.ts";
import { nodeVersionProblem } from "./node-version.ts";

describe("configuration", () => {
  test("has a default for all", () => {
    const { command, config } = readConfig([], {});
    expect(command).toEqual({ kind: "serve" });
    expect(config).toMatchObject({
      home: join(homedir(), ".gristmill"),
      host: "127.0.0.1",
      port: 7070,
      allowedHosts: [],
      databaseUrl: undefined,
      adminKey: undefined,
      logLevel: "info",
    });
  });

  test("comes from the environment, and flags win", () => {
    const { config } = readConfig(["--port", "8080", "--home=rel"], {
      GRISTMILL_PORT: "9090",
      GRISTMILL_HOME: "/x",
      GRISTMILL_HOST: "0.0.0.0",
      GRISTMILL_ALLOWED_HOSTS: "AI.example.com, b.example.com",
      DATABASE_URL: "postgres://u:p@h/d",
      GRISTMILL_LOG_LEVEL: "",
    });
    expect(config).toMatchObject({
      port: 8080,
      home: resolve("rel"),
      host: "0.0.0.0",
      allowedHosts: ["ai.example.com", "b.example.com"],
      databaseUrl: "postgres://u:p@h/d",
      logLevel: "info",
    });
  });

  test("is refused with every problem at once, each by the name that the operator used", () => {
    const read = () =>
      readConfig(["--port", "99999", "--wat", "--host"], {
        GRISTMILL_LOG_LEVEL: "loud",
        DATABASE_URL: "mysql://x",
        GRISTMILL_ADMIN_KEY: "short-secret",
      });
    expect(read).toThrow(expect.objectContaining({ code: "config.invalid" }));
    const problems = ["--port", "--wat", "--host", "GRISTMILL_LOG_LEVEL", "DATABASE_URL", "GRISTMILL_ADMIN_KEY"];
    for (const name of problems) expect(read).toThrow(name);
    expect(read).not.toThrow("short-secret");
  });

  test.each([
    [["help"], { kind: "help" }],
    [["--help"], { kind: "help" }],
    [["backup", "/tmp/b.tar"], { kind: "backup", file: "/tmp/b.tar" }],
    [["restore", "/tmp/b.tar", "--home", "/x"], { kind: "restore", file: "/tmp/b.tar" }],
  ])("%j is a command", (args, command) => {
    expect(readConfig(args, {}).command).toEqual(command);
  });

  test.each([[["backup"]], [["backup", "a", "b"]], [["sing"]]])("%j is refused", (args) => {
    expect(() => readConfig(args, {})).toThrow(expect.objectContaining({ code: "config.invalid" }));
  });

  test("is documented by help, every variable and flag of it", () => {
    const help = configHelp();
    for (const name of [
      "GRISTMILL_HOME",
      "--home",
      "GRISTMILL_PORT",
      "GRISTMILL_HOST",
      "DATABASE_URL",
      "GRISTMILL_SECRET_KEY",
      "GRISTMILL_ADMIN_KEY",
      "GRISTMILL_ALLOWED_HOSTS",
      "GRISTMILL_LOG_LEVEL",
    ])
      expect(help).toContain(name);
    expect(help).not.toContain("--admin-key");
  });
});

test("an older Node is told what to do", () => {
  expect(nodeVersionProblem(process.version)).toBeUndefined();
  expect(nodeVersionProblem("v24.0.0")).toBeUndefined();
  expect(nodeVersionProblem("v22.18.0")).toMatch(/needs Node 24.*v22\.18\.0.*npm start/);
});
