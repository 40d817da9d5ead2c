import { AssertionError } from "../../base/assert.ts";
import { seedFor } from "../data/mix.ts";
import type { SizeSpec } from "../data/sizes.ts";
import type { Share } from "../executors/executor.ts";
import type { Scenario, Workload } from "../scenario/schema.ts";
import { AppendWork } from "./store-append.ts";
import type { StoreClients } from "./store-clients.ts";
import { StoreConversations } from "./store-conversations.ts";
import { PageWork, StoreHistory } from "./store-page.ts";
import { PlainWork } from "./store-plain.ts";
import { BeatingUsers, HeartbeatWork, LookupWork } from "./store-presence.ts";
import { RedisSetWork } from "./store-redis-set.ts";
import { RegisterWork } from "./store-register.ts";
import type { StoreWork } from "./store-work.ts";

/** The works of a scenario on the stores, by workload: the code behind the rows of scenario/operations.ts with target store. */
export interface StoreWorksOptions {
  readonly scenario: Scenario;
  readonly share: Share;
  readonly run: number;
  readonly clients: StoreClients;
  readonly nowMs: () => number;
  /** Of `redis.key_prefix`. */
  readonly keyPrefix: string;
}

const historyRowBytes = 200;

export async function createStoreWorks(options: StoreWorksOptions): Promise<readonly StoreWork[]> {
  const makers = new StoreWorkMaker(options);
  const works: StoreWork[] = [];
  for (const workload of options.scenario.workloads) works.push(await makers.make(workload));
  return works;
}

class StoreWorkMaker {
  readonly #options: StoreWorksOptions;
  /** Shared by the workloads that read them. */
  #history: StoreHistory | undefined;
  readonly #beating = new Map<string, BeatingUsers>();

  constructor(options: StoreWorksOptions) {
    this.#options = options;
  }

  async make(workload: Workload): Promise<StoreWork> {
    const { clients, scenario, share, run, nowMs, keyPrefix } = this.#options;
    const { users } = scenario.population;
    const seed = seedFor(scenario.seed, `workload ${workload.name}`);
    switch (workload.do) {
      case "store.append":
      case "store.message": {
        const { client, size } = workload.options;
        const operations = await clients.operations(client);
        const withLists = workload.do === "store.message";
        return new AppendWork({ operations, withLists, ...(await this.#readBack(seed, size)) });
      }
      case "store.plain":
        return new PlainWork(await clients.bareCassandra(), await this.#readBack(seed, workload.options.size));
      case "store.register": {
        const operations = await clients.operations(workload.options.client);
        const { lists } = await clients.cassandra();
        return new RegisterWork({ operations, lists, seed, run, users, share, nowMs });
      }
      case "store.page": {
        const { client, limit } = workload.options;
        const page = { limit, seed, shareCount: share.count };
        return new PageWork(await clients.operations(client), await this.#sharedHistory(), page);
      }
      case "store.redis-set":
        return new RedisSetWork(await clients.tickWriter(workload.options.client), keyPrefix, users, share);
      case "presence.heartbeat": {
        const { client = "adapter", mode = "literal" } = workload.options;
        const sample = { seed, share: scenario.verify.presence ?? 1 };
        return new HeartbeatWork(await clients.presence(client, mode), this.#beatingUsers(mode), sample);
      }
      case "presence.lookup": {
        const { client, mode = "literal" } = workload.options;
        return new LookupWork(await clients.presence(client, mode), this.#beatingUsers(mode));
      }
      default:
        throw new AssertionError(`${workload.do} is for a server: scenario/checks.ts refuses it`);
    }
  }

  async #readBack(seed: number, size: SizeSpec) {
    const { log, lists } = await this.#options.clients.cassandra();
    return {
      conversations: this.#conversations(seed, size),
      log,
      lists,
      seed,
      logShare: this.#options.scenario.verify.log,
    };
  }

  #conversations(seed: number, size: SizeSpec): StoreConversations {
    const { scenario, run, share, nowMs } = this.#options;
    return new StoreConversations({ seed, run, users: scenario.population.users, share, size, nowMs });
  }

  async #sharedHistory(): Promise<StoreHistory> {
    const { clients, scenario } = this.#options;
    if (this.#history !== undefined) return this.#history;
    const conversations = this.#conversations(seedFor(scenario.seed, "history"), {
      kind: "fixed",
      bytes: historyRowBytes,
    });
    const { log } = await clients.cassandra();
    return (this.#history = new StoreHistory(conversations, log, scenario.population.history));
  }

  #beatingUsers(mode: string): BeatingUsers {
    const { scenario, run, share } = this.#options;
    const known = this.#beating.get(mode) ?? new BeatingUsers(scenario.seed, run, scenario.population.users, share);
    this.#beating.set(mode, known);
    return known;
  }
}
