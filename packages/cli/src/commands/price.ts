import type { CreatePrice, Price } from "@gristmill/contract";
import { type Command, Option } from "commander";
import { formatTime } from "../terminal/words.ts";
import { noun, type OpenSession, verb, withLimit } from "./command.ts";

/** What can be priced; the API refuses any other, and the help names these. */
const meters = [
  "data.bytes_processed",
  "training.seconds",
  "deployment.replica_seconds",
  "service.requests",
  "service.images",
] as const satisfies readonly CreatePrice["meter"][];

const columns = [
  { head: "meter" },
  { head: "price of one", align: "right" },
  { head: "" },
  { head: "model" },
  { head: "hardware" },
  { head: "from" },
  { head: "to" },
] as const;

const row = (price: Price): string[] => [
  price.meter,
  price.amount,
  price.currency,
  price.model ?? "any",
  price.hardware ?? "any",
  formatTime(price.effective_from),
  price.effective_to === null ? "now" : formatTime(price.effective_to),
];

/** `gristmill price` */
export function priceCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List prices, past ones too", ["gristmill price list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(await client.prices.list({ signal }).all(limit), columns, row, "No prices.");
  });

  const create = verb("create <amount>", "Set the price of one unit from now on, or from a later time", [
    "gristmill price create 0.0005 --meter service.requests",
    "gristmill price create 0.002 --meter service.images --model digits",
  ])
    .addOption(new Option("--meter <meter>", "what is counted").choices(meters).makeOptionMandatory())
    .option("--model <model>", "for this model alone")
    .option("--hardware <class>", "for this hardware class alone, such as cpu-2")
    .option("--from <time>", "when it begins, RFC 3339 (default: now)");
  create.action(
    async (
      amount: string,
      options: { meter: CreatePrice["meter"]; model?: string; hardware?: string; from?: string },
    ) => {
      const { client, output, signal } = await open(create).connected();
      const { meter, model, hardware, from } = options;
      const price = await client.prices.create(
        {
          meter,
          amount,
          ...(model === undefined ? {} : { model }),
          ...(hardware === undefined ? {} : { hardware }),
          ...(from === undefined ? {} : { effective_from: from }),
        },
        { signal },
      );
      output.list([price], columns, row, "");
    },
  );

  return noun("price", "The price book: what one unit of a meter costs, and since when", list, create);
}
