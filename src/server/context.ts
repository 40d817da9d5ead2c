import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Clock } from "../base/clock.ts";
import { createFailureLog, kindOf } from "../base/failure-log.ts";
import type { Logger } from "../base/logger.ts";
import { createSystemRandom } from "../base/random.ts";
import { createCore } from "../core/create-core.ts";
import { createFanOutWorkers, type FanOutWorkersDeps } from "../core/fan-out/create-fan-out-workers.ts";
import { createAccounts } from "./accounts/accounts.ts";
import type { AccountDeps } from "./accounts/account-types.ts";
import { createPasswords } from "./accounts/passwords.ts";
import type { Config } from "./config/config-schema.ts";
import type { ServerContext, StoreDeps, StoreSet } from "./context-types.ts";
import { meterLog } from "./meter-log.ts";
import { createMediaServices } from "./media/media-services.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { ratePresets, type RateRules } from "./rate-rules.ts";

/** How long what other processes may change is believed when the bus, which tells of changes, is silent. */
const sharedCacheTtlMs = 1_000;

/**
 * The composition root: what a server process is made of. The stores come from the profile's own file, which is the only
 * one that is loaded, so that an embedded server starts without the drivers of the cluster. Rejects with DataFolderError
 * (embedded) or StoreError (cluster) when they cannot be opened.
 */
export async function createContext(config: Config, log: Logger, clock: Clock): Promise<ServerContext> {
  const metrics = createMetrics();
  const random = createSystemRandom();
  const nodeId = config.node.name === "" ? `${hostname()}-${randomBytes(4).toString("hex")}` : config.node.name;
  const stores = await openStores(config, { clock, log, nodeId });
  const { log: messageLog, lists, receipts, groups, users, relations, settings, fanOut, bus } = stores;
  const ports = {
    log: meterLog(messageLog, metrics),
    lists,
    receipts,
    groups,
    users,
    relations,
    settings,
    media: stores.mediaRows,
    fanOut,
    bus,
    clock,
    random,
  };
  const { sessions, presence, typing, rateLimits, registry, interest } = stores;
  const rules = { current: ratePresets[config.limits.preset] };
  const accountDeps: AccountDeps = {
    users,
    sessions,
    rateLimits,
    bus,
    clock,
    random,
    passwords: createPasswords({ random }),
    get rules() {
      return rules.current;
    },
  };
  return {
    config,
    nodeId,
    log,
    clock,
    random,
    core: createCore(ports, config.profile === "cluster" ? { cacheTtlMs: sharedCacheTtlMs } : {}),
    ports,
    sessions,
    presence,
    typing,
    rateLimits,
    registry,
    interest,
    ...createMediaServices(config.media, stores, { clock, random, log, metrics }),
    lost: () => stores.lost(),
    queues: () => stores.queues(),
    fanOutWorkers: createFanOutWorkers({ ...ports, observe: observeFanOut(log, clock, metrics) }),
    accounts: createAccounts(accountDeps),
    accountDeps,
    metrics,
    get rules(): RateRules {
      return rules.current;
    },
    set rules(next: RateRules) {
      rules.current = next;
    },
    async close() {
      metrics.stop();
      await stores.close();
    },
  };
}

function observeFanOut(log: Logger, clock: Clock, metrics: Metrics): FanOutWorkersDeps["observe"] {
  const report = createFailureLog(clock, (fields) => log.error(fields, "A fan-out to a large group failed"));
  return (outcome, members, error) => {
    metrics.fannedOut(outcome, members);
    if (outcome !== "done") report(`${outcome} ${kindOf(error)}`, () => ({ err: error, outcome }));
  };
}

async function openStores(config: Config, deps: StoreDeps): Promise<StoreSet> {
  if (config.profile === "cluster") return (await import("./context-cluster.ts")).openClusterStores(config, deps);
  return (await import("./context-embedded.ts")).openEmbeddedStores(config, deps);
}
