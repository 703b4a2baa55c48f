import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findFloats, floatsOnMoneyPath } from "../scripts/money-path.ts";

const problems = (text: string) => findFloats("x.ts", text).map(({ problem }) => problem);

describe("the check of the path of money", () => {
  it("finds nothing in the tree", () => {
    expect(floatsOnMoneyPath(process.cwd())).toEqual([]);
  });

  it.each([
    ["Number()", "const x = Number(amount);"],
    ["parseFloat()", "const x = parseFloat(price.amount);"],
    ["parseInt()", "const x = parseInt(quantity, 10);"],
    ["Number.parseFloat()", "const x = Number.parseFloat(amount);"],
    ["toNumber()", "const x = new Big(amount).times(2).toNumber();"],
    ["unary +", "const x = +amount;"],
    ["Math", "const x = Math.round(cents);"],
    ["a product", "const x = price * quantity;"],
    ["a quotient", "const x = total / 100;"],
    ["a rest", "const x = units % size;"],
    ["a power", "const x = 10 ** digits;"],
    ["a product that is assigned", "total *= rate;"],
    ["a quotient that is assigned", "total /= 2;"],
    ["a fraction", "const rate = new Big(0.1);"],
    ["an exponent", "const rate = new Big(1e-9);"],
    ["an amount declared as a number", "interface Price { readonly amount: number }"],
    ["one that may be null", "interface Price { readonly unitPrice?: number | null }"],
    ["in rows of the database", "interface Row { total_amount: number }"],
    ["a parameter", "const charge = (quantity: number) => quantity;"],
    ["a variable", "let spend: number = 0;"],
    ["a field of a class", "class Wallet { balance: number = 0; }"],
    ["a number from outside", "const schema = z.object({ amount: z.number().min(0) });"],
    ["a number from a query", "const schema = z.object({ price: z.coerce.number() });"],
    ["a double in SQL", "const query = sql`select sum(amount)::float8 from t`;"],
    ["a cast in SQL", "const query = sql`select cast(quantity as double precision) from t`;"],
    ["a type of a column", 'const query = "select quantity::real from t";'],
  ])("finds %s", (_, text) => {
    expect(problems(text)).toHaveLength(1);
  });

  it.each([
    ["exact arithmetic", 'const x = new Big("0.1").times(quantity).plus(amount);'],
    ["money as text", "interface Price { readonly amount: string; readonly minimum: Big | null }"],
    ["counts", "let events = 0; events += sum.events; const more = rows.length - 1;"],
    [
      "what counts prices and is none",
      "interface Row { readonly unpricedEvents: number; readonly priceCount: number }",
    ],
    ["constants of whole numbers", "const spanMs = 30 * 86_400_000;"],
    ["times", "const hours = Math.ceil((to.getTime() - from.getTime()) / 3_600_000);"],
    ["times by their unit", "const at = Math.floor(nowMs / 1000);"],
    ["big integers", "const cents = amount * 100n;"],
    ["counts of the database", "const query = sql`select count(*)::float8 as events from t`;"],
    ["what says why", "const shown = Number(percent); // float-ok: shown, and not reckoned with"],
    ["what says why on the line before", "// float-ok: shown\nconst shown = Number(percent);"],
  ])("leaves alone: %s", (_, text) => {
    expect(problems(text)).toEqual([]);
  });

  it("takes no exemption without a reason", () => {
    expect(problems("const x = Number(amount); // float-ok:")).toHaveLength(1);
    expect(problems("const a = 1; // float-ok: of this line\nconst x = Number(amount);")).toHaveLength(1);
  });

  it("says where", () => {
    expect(findFloats("x.ts", "const a = 1;\nconst b = Number(a);")).toEqual([
      { line: 2, problem: "Number() makes a double" },
    ]);
  });
});

describe("npm run check", () => {
  let folder: string | undefined;
  afterEach(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it("runs it, and it fails when someone adds a float to the rating of usage", () => {
    expect(readFileSync("scripts/check.ts", "utf8")).toContain('run("node", "scripts/money-path.ts")');
    folder = mkdtempSync(join(tmpdir(), "gm-money-"));
    for (const part of ["packages/contract/src/api", "packages/server/src"])
      cpSync(part, join(folder, part), { recursive: true });
    const check = () =>
      spawnSync(process.execPath, [join(process.cwd(), "scripts/money-path.ts")], { cwd: folder, encoding: "utf8" });
    expect(check()).toMatchObject({ status: 0, stdout: "" });
    const file = join(folder, "packages/server/src/billing/rating.ts");
    writeFileSync(
      file,
      `${readFileSync(file, "utf8")}\nexport const cheaper = (amount: string) => Number(amount) * 0.9;\n`,
    );
    const { status, stdout } = check();
    expect(status).toBe(1);
    expect(stdout.match(/billing\/rating\.ts:\d+: /g)).toHaveLength(3);
    rmSync(join(folder, "packages/server/src/billing"), { recursive: true });
    rmSync(join(folder, "packages/server/src/budgets"), { recursive: true });
    // A path that leads nowhere would find nothing for ever.
    expect(check().stderr).toMatch(/no file is named packages\/server\/src\/\{billing,budgets\}/);
  });
});
