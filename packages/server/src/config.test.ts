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
      secretKey: undefined,
      publicUrl: undefined,
      allowedAddresses: [],
      smtpUrl: undefined,
      mailFrom: undefined,
      usageRetentionMonths: 0,
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

  test("takes where it is reached, whom it may reach and how long it remembers", () => {
    const { config } = readConfig(["--public-url", "https://AI.example.com:8443/", "--usage-retention-months=24"], {
      GRISTMILL_SECRET_KEY: "s".repeat(32),
      GRISTMILL_ALLOWED_HOSTS: "b.example.com",
      GRISTMILL_ALLOWED_ADDRESSES: "10.1.0.0/16, 127.0.0.1,fd00::/8 ,::1",
      GRISTMILL_SMTP_URL: "smtp://user:p%40ss@mail.example.com:587",
      GRISTMILL_MAIL_FROM: "gristmill@example.com",
    });
    expect(config).toMatchObject({
      publicUrl: "https://ai.example.com:8443",
      allowedHosts: ["b.example.com", "ai.example.com"],
      usageRetentionMonths: 24,
      secretKey: "s".repeat(32),
      allowedAddresses: ["10.1.0.0/16", "127.0.0.1/32", "fd00::/8", "::1/128"],
      smtpUrl: "smtp://user:p%40ss@mail.example.com:587",
      mailFrom: "gristmill@example.com",
    });
  });

  test.each([
    ["GRISTMILL_SECRET_KEY", "short-secret"],
    ["GRISTMILL_PUBLIC_URL", "gristmill.test"],
    ["GRISTMILL_PUBLIC_URL", "ftp://ai.example.com"],
    ["GRISTMILL_PUBLIC_URL", "https://ai.example.com/gristmill"],
    ["GRISTMILL_PUBLIC_URL", "https://user:word@ai.example.com"],
    ["GRISTMILL_PUBLIC_URL", "https://ai.example.com/?x=1"],
    ["GRISTMILL_ALLOWED_ADDRESSES", "10.0.0.0/33"],
    ["GRISTMILL_ALLOWED_ADDRESSES", "10.0.0/8"],
    ["GRISTMILL_ALLOWED_ADDRESSES", "10.0.0.0/8/8"],
    ["GRISTMILL_ALLOWED_ADDRESSES", "example.com"],
    ["GRISTMILL_ALLOWED_ADDRESSES", "::1/129"],
    ["GRISTMILL_SMTP_URL", "http://user:secret-word@mail.example.com"],
    ["GRISTMILL_SMTP_URL", "smtp:///mail"],
    ["GRISTMILL_MAIL_FROM", "nobody"],
    ["GRISTMILL_USAGE_RETENTION_MONTHS", "1201"],
    ["GRISTMILL_USAGE_RETENTION_MONTHS", "-1"],
    ["GRISTMILL_USAGE_RETENTION_MONTHS", "1.5"],
  ])("refuses %s=%s by the variable's name, without its value", (name, value) => {
    const read = () => readConfig([], { GRISTMILL_MAIL_FROM: "a@example.com", [name]: value });
    expect(read).toThrow(expect.objectContaining({ code: "config.invalid" }));
    expect(read).toThrow(name);
    expect(read).not.toThrow(value);
  });

  test("wants a sender for mail", () => {
    expect(() => readConfig([], { GRISTMILL_SMTP_URL: "smtp://mail.example.com" })).toThrow("GRISTMILL_MAIL_FROM");
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
      "GRISTMILL_PUBLIC_URL, --public-url",
      "GRISTMILL_ALLOWED_ADDRESSES, --allowed-addresses",
      "GRISTMILL_SMTP_URL",
      "GRISTMILL_MAIL_FROM, --mail-from",
      "GRISTMILL_USAGE_RETENTION_MONTHS, --usage-retention-months",
    ])
      expect(help).toContain(name);
    for (const flag of ["--admin-key", "--secret-key", "--smtp-url"]) expect(help).not.toContain(flag);
  });
});

test("an older Node is told what to do", () => {
  expect(nodeVersionProblem(process.version)).toBeUndefined();
  expect(nodeVersionProblem("v24.0.0")).toBeUndefined();
  expect(nodeVersionProblem("v22.18.0")).toMatch(/needs Node 24.*v22\.18\.0.*npm start/);
});
