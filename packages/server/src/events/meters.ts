/** @file Rules of meters: the platform's, which are there, and a project's own. */
import {
  AppError,
  meters as builtIn,
  type CreateMeter,
  type ListQuery,
  type MeterDefinition,
  type Page,
  type ProjectId,
} from "@gristmill/contract";
import { pageOf } from "../http/index.ts";
import type { NewId } from "../ids.ts";
import { rolledUp } from "../metering/index.ts";
import type { Meter } from "./meter.ts";
import type { MeterStore } from "./meter-store.ts";

/** Meters that a project can have in its life, and that can count events of one type at a time. */
const most = { all: 100, ofType: 10 };

/** How long what was read of a project's meters is used again. A meter counts every event that is sent later than this. */
const rememberedMs = 1000;

/** Projects remembered at most. */
const rememberedProjects = 10_000;

/** Names that begin so are the platform's own, now or later. */
const ownPrefix = /^(data|training|deployment|service|gristmill)(\.|$)/;

/** A meter to be asked: the platform's or a project's. */
export type AnyMeter = Pick<Meter, "name" | "aggregation" | "unit"> & { readonly dimensions: readonly string[] };

/** What meters are made from. */
export interface MetersDeps {
  readonly store: MeterStore;
  readonly now: () => Date;
  readonly newId: NewId;
}

/** Meters of projects. */
export class Meters {
  readonly #deps: MetersDeps;
  readonly #remembered = new Map<ProjectId, { readonly at: number; readonly meters: Promise<readonly Meter[]> }>();

  constructor(deps: MetersDeps) {
    this.#deps = deps;
  }

  /** The platform's meters in the order of their table, then the project's, oldest first; `desc` the other way round. */
  async list(projectId: ProjectId, { limit, after, order }: ListQuery): Promise<Page<MeterDefinition>> {
    const own = await this.#deps.store.list(projectId);
    const all = [...Object.keys(builtIn).map(builtInToWire), ...own.map(meterToWire)];
    const inOrder = order === "asc" ? all : all.toReversed();
    const start = after === undefined ? 0 : inOrder.findIndex(({ id }) => id === after) + 1;
    if (after !== undefined && start === 0) throw new AppError("request.invalid", `after: no meter "${after}".`);
    return pageOf(inOrder.slice(start, start + limit + 1), limit, (meter) => meter);
  }

  /** @throws AppError `meter.not_found`. */
  async get(projectId: ProjectId, idOrName: string): Promise<MeterDefinition> {
    if (Object.hasOwn(builtIn, idOrName)) return builtInToWire(idOrName);
    return meterToWire(await this.#own(projectId, idOrName));
  }

  /** What a query needs of a meter; deleted ones can still be asked. @throws AppError `meter.not_found`. */
  async asked(projectId: ProjectId, idOrName: string): Promise<AnyMeter> {
    if (Object.hasOwn(builtIn, idOrName)) {
      const { unit } = builtInToWire(idOrName);
      return { name: idOrName, aggregation: "sum", unit, dimensions: rolledUp };
    }
    const found = await this.#deps.store.find(projectId, idOrName, true);
    if (found === undefined) throw notFound(idOrName);
    return { ...found, dimensions: Object.keys(found.dimensions) };
  }

  /** Names of all meters that the project has ever had. */
  everyName(projectId: ProjectId): Promise<readonly string[]> {
    return this.#deps.store.names(projectId);
  }

  /** @throws AppError `meter.name_taken`, `meter.too_many`. */
  async create(projectId: ProjectId, input: CreateMeter): Promise<MeterDefinition> {
    const { store, now, newId } = this.#deps;
    if (ownPrefix.test(input.name))
      throw new AppError(
        "meter.name_taken",
        `"${input.name}": names that begin so are kept for the platform's meters.`,
      );
    const meter: Meter = {
      id: newId("meter"),
      projectId,
      name: input.name,
      eventType: input.event_type,
      aggregation: input.aggregation,
      valueProperty: input.value_property,
      unit: input.unit,
      dimensions: input.dimensions,
      createdAt: now(),
    };
    const outcome = await store.insert(meter, most);
    this.#remembered.delete(projectId);
    if (outcome === "made") return meterToWire(meter);
    if (outcome === "taken")
      throw new AppError("meter.name_taken", `This project has, or had, a meter named "${input.name}".`);
    throw new AppError(
      "meter.too_many",
      `A project has at most ${most.all} meters in its life, and ${most.ofType} for one type of events at a time.`,
    );
  }

  /** It counts no more; what it has counted stays, and can be asked for by its name. @throws AppError `meter.not_found`. */
  async delete(projectId: ProjectId, idOrName: string): Promise<string> {
    if (Object.hasOwn(builtIn, idOrName))
      throw new AppError("meter.not_found", `"${idOrName}" is the platform's own meter; it can't be deleted.`);
    const meter = await this.#own(projectId, idOrName);
    const isGone = !(await this.#deps.store.delete(meter));
    this.#remembered.delete(projectId);
    if (isGone) throw notFound(idOrName);
    return meter.id;
  }

  /** The meters of each type of events. A type that is not remembered is looked for again before it is unknown. */
  async byType(projectId: ProjectId, types: Iterable<string>): Promise<ReadonlyMap<string, readonly Meter[]>> {
    const remembered = grouped(await this.#remember(projectId));
    if ([...types].every((type) => remembered.has(type))) return remembered;
    this.#remembered.delete(projectId);
    return grouped(await this.#remember(projectId));
  }

  #remember(projectId: ProjectId): Promise<readonly Meter[]> {
    const now = this.#deps.now().getTime();
    const known = this.#remembered.get(projectId);
    if (known !== undefined && now - known.at < rememberedMs && now >= known.at) return known.meters;
    if (this.#remembered.size >= rememberedProjects) this.#remembered.clear();
    const meters = this.#deps.store.list(projectId);
    this.#remembered.set(projectId, { at: now, meters });
    // A failure is told to who waits for it, and not remembered.
    meters.catch(() => this.#remembered.delete(projectId));
    return meters;
  }

  async #own(projectId: ProjectId, idOrName: string): Promise<Meter> {
    const found = await this.#deps.store.find(projectId, idOrName);
    if (found === undefined) throw notFound(idOrName);
    return found;
  }
}

const notFound = (idOrName: string): AppError =>
  new AppError("meter.not_found", `This project has no meter "${idOrName}".`);

function grouped(meters: readonly Meter[]): ReadonlyMap<string, readonly Meter[]> {
  return Map.groupBy(meters, (meter) => meter.eventType);
}

const builtInToWire = (name: string): MeterDefinition => ({
  id: name,
  object: "meter",
  name,
  built_in: true,
  event_type: null,
  aggregation: "sum",
  value_property: null,
  unit: builtIn[name as keyof typeof builtIn].unit,
  dimensions: Object.fromEntries(rolledUp.map((dimension) => [dimension, dimension])),
  created_at: null,
});

const meterToWire = (meter: Meter): MeterDefinition => ({
  id: meter.id,
  object: "meter",
  name: meter.name,
  built_in: false,
  event_type: meter.eventType,
  aggregation: meter.aggregation,
  value_property: meter.valueProperty,
  unit: meter.unit,
  dimensions: { ...meter.dimensions },
  created_at: meter.createdAt.toISOString(),
});
