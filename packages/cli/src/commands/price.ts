import type { Price } from "@gristmill/contract";
import { type Command, Option } from "commander";
import { CliError } from "../failure.ts";
import { formatTime } from "../terminal/words.ts";
import { boundsText, type ChargeFlags, chargeOf, chargeText, chargeTypes, tiersChart } from "./charge.ts";
import { gather, given, noun, type OpenSession, verb, withLimit } from "./command.ts";
import { time } from "./times.ts";

const columns = [
  { head: "meter" },
  { head: "price", align: "right" },
  { head: "" },
  { head: "a month" },
  { head: "model" },
  { head: "hardware" },
  { head: "from" },
  { head: "to" },
] as const;

const row = (price: Price): string[] => [
  price.meter,
  chargeText(price.charge),
  price.currency,
  boundsText(price) || "–",
  price.model ?? "any",
  price.hardware ?? "any",
  formatTime(price.effective_from),
  price.effective_to === null ? "now" : formatTime(price.effective_to),
];

const facts = (price: Price): [string, string][] => [
  ["meter", price.meter],
  ["id", price.id],
  ["price", `${chargeText(price.charge)} ${price.currency}`],
  ["a month", boundsText(price) || "nothing free, no bounds"],
  ["model", price.model ?? "any"],
  ["hardware", price.hardware ?? "any"],
  ["from", formatTime(price.effective_from)],
  ["to", price.effective_to === null ? "the next price of its kind" : formatTime(price.effective_to)],
];

interface PriceFlags extends ChargeFlags {
  readonly meter: string;
  readonly model?: string;
  readonly hardware?: string;
  readonly free?: string;
  readonly minimum?: string;
  readonly maximum?: string;
  readonly from?: string;
}

/** `gristmill price` */
export function priceCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List prices, past ones too", ["gristmill price list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(await client.prices.list({ signal }).all(limit), columns, row, "No prices.");
  });

  const show = verb("show <price>", "Show a price and its tiers", ["gristmill price show prc_01..."]);
  show.action(async (id: string) => {
    const { client, output, signal } = await open(show).connected();
    for await (const price of client.prices.list({ signal })) {
      if (price.id !== id) continue;
      output.facts(price, () => facts(price));
      const tiers = tiersChart(price, output.out.columns, output.out.paint);
      if (!output.json && tiers !== "") output.result(() => `\n${tiers}`);
      return;
    }
    throw new CliError("cli.no_price", `No price "${id}".`, "List them with `gristmill price list`.");
  });

  const create = verb("create [amount]", "Set a price from now on, or from a later time; it ends the one before", [
    "gristmill price create 0.0005 --meter service.requests",
    "gristmill price create 0.002 --meter service.images --model digits --free 1000",
    "gristmill price create 1.50 --meter service.input_tokens --charge package --size 1000000",
    "gristmill price create --meter service.images --charge graduated --tier 1000=0.002 --tier rest=0.001",
    "gristmill price create 0.029 --meter shop.sales --charge percentage --fixed 0.30 --maximum 500",
  ])
    .alias("add")
    .requiredOption("--meter <meter>", "what is counted: `gristmill meter list` shows all")
    .addOption(new Option("--charge <model>", "how use becomes money").choices(chargeTypes).default("per_unit"))
    .option("--size <quantity>", "package: units that the amount buys")
    .option(
      "--tier <up-to=unit[+flat]>",
      "graduated, volume: a tier, the last up to `rest`; may be given several times",
      gather,
    )
    .option("--fixed <amount>", "percentage: besides, for each event")
    .option("--free <quantity>", "what costs nothing in each month")
    .option("--minimum <amount>", "what a month costs at least, if anything is used")
    .option("--maximum <amount>", "what a month costs at most")
    .option("--model <model>", "for this model alone")
    .option("--hardware <class>", "for this hardware class alone, such as cpu-2")
    .option("--from <time>", "when it begins: 2027-01-01 or RFC 3339 (default: now)", time);
  create.action(async (amount: string | undefined, flags: PriceFlags) => {
    const charge = chargeOf(amount, flags);
    const { client, output, signal } = await open(create).connected();
    const { meter, model, hardware, free, minimum, maximum, from } = flags;
    const settings = given({ model, hardware, free, minimum, maximum, effective_from: from });
    const price = await client.prices.create({ meter, charge, ...settings }, { signal });
    output.facts(price, () => facts(price));
    const tiers = tiersChart(price, output.out.columns, output.out.paint);
    if (!output.json && tiers !== "") output.result(() => `\n${tiers}`);
  });

  return noun("price", "The price book: what a meter costs, and since when", list, show, create);
}
