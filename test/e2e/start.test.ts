import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { freePort, Home, Platform } from "./platform.ts";

const homes: Home[] = [];
const platforms: Platform[] = [];
const newHome = (): Home => {
  const home = new Home();
  homes.push(home);
  return home;
};
const launch = async (home: Home, environment: Record<string, string> = {}) => {
  const platform = await Platform.launch(home, environment);
  platforms.push(platform);
  return platform;
};
const ended = (platform: Platform) =>
  new Promise<number | null>((resolve) => {
    if (platform.process.exitCode !== null) resolve(platform.process.exitCode);
    else platform.process.once("exit", resolve);
  });

afterEach(async () => {
  for (const platform of platforms.splice(0)) await platform.stop();
  for (const home of homes.splice(0)) home.remove();
});

describe("a start that can't succeed says why in one line and ends", () => {
  it("when another program has the port", async () => {
    const other = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    const platform = await launch(newHome(), { GRISTMILL_PORT: String(port) });
    expect(await ended(platform)).not.toBe(0);
    expect(platform.output).toMatch(/port\.in_use/);
    expect(platform.output).toContain(String(port));
    expect(platform.output).not.toMatch(/\n\s+at /);
    other.close();
  });

  it.each([
    // What stops root too, whom no mode stops: a parent that takes no folders, and a file where the folder should be.
    ["below /proc", () => "/proc/gristmill-home"],
    ["at a file", (home: Home) => `${home.path}-file`],
  ])("when the home %s can't be written", async (_, place) => {
    const home = newHome();
    const path = place(home);
    if (!path.startsWith("/proc")) writeFileSync(path, "");
    const platform = await launch(home, { GRISTMILL_HOME: path });
    expect(await ended(platform)).not.toBe(0);
    expect(platform.output).toMatch(/home\.not_writable/);
    expect(platform.output).toContain(path);
  });

  it("when a setting is wrong, with all that is wrong at once", async () => {
    const platform = await launch(newHome(), { GRISTMILL_PORT: "http", GRISTMILL_LOG_LEVEL: "loud" });
    expect(await ended(platform)).not.toBe(0);
    expect(platform.output).toMatch(/config\.invalid/);
    expect(platform.output).toContain("GRISTMILL_PORT");
    expect(platform.output).toContain("GRISTMILL_LOG_LEVEL");
  });
});

describe("two starts on one home", () => {
  it("at the same moment: one is ready, the other says that the home is in use", { timeout: 60_000 }, async () => {
    const home = newHome();
    const both = [await launch(home), await launch(home)];
    const outcomes = await Promise.all(
      both.map((platform) =>
        platform.ready().then(
          () => "ready",
          () => "ended",
        ),
      ),
    );
    expect([...outcomes].sort()).toEqual(["ended", "ready"]);
    const loser = both[outcomes.indexOf("ended")];
    expect(loser?.output).toMatch(/home\.in_use/);
  });
});
