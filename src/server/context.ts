import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { systemClock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { createSystemRandom } from "../base/random.ts";
import { createCore } from "../core/create-core.ts";
import { openEnvironment } from "../stores/lmdb/open-environment.ts";
import { createLmdbConversationLists } from "../stores/lmdb/conversation-lists.ts";
import { createLmdbConversationSettings } from "../stores/lmdb/conversation-settings.ts";
import { createLmdbGroups } from "../stores/lmdb/groups.ts";
import { createLmdbMessageLog } from "../stores/lmdb/message-log.ts";
import { createLmdbReceipts } from "../stores/lmdb/receipts.ts";
import { createLmdbRelations } from "../stores/lmdb/relations.ts";
import { createLmdbSessions } from "../stores/lmdb/sessions.ts";
import { createLmdbUsers } from "../stores/lmdb/users.ts";
import { createMemoryBus } from "../stores/memory/bus.ts";
import { createMemoryPresence } from "../stores/memory/presence.ts";
import { createMemoryRateLimits } from "../stores/memory/rate-limits.ts";
import { createMemoryTyping } from "../stores/memory/typing.ts";
import { createAccounts } from "./accounts/accounts.ts";
import type { AccountDeps } from "./accounts/account-types.ts";
import { createPasswords } from "./accounts/passwords.ts";
import type { Config } from "./config/config-schema.ts";
import type { ServerContext } from "./context-types.ts";
import { meterLog } from "./meter-log.ts";
import { createMetrics } from "./metrics.ts";
import { ratePresets, type RateRules } from "./rate-rules.ts";

/**
 * The composition root: the one place that knows which stores a server runs on. The embedded profile: one LMDB
 * environment for everything durable, memory for everything that may be lost, and one process, so the bus is a call.
 * Rejects with DataFolderError when the folder is held by another process, too new or broken.
 */
export async function createContext(config: Config, log: Logger): Promise<ServerContext> {
  const metrics = createMetrics();
  const clock = systemClock;
  const random = createSystemRandom();
  const environment = await openEnvironment(config.data.directory, { clock, dataBytesMax: config.data.size_bytes_max });
  const bus = createMemoryBus((error) => log.error({ err: error }, "A delivery failed"));
  const ports = {
    log: meterLog(createLmdbMessageLog(environment), metrics),
    lists: createLmdbConversationLists(environment),
    receipts: createLmdbReceipts(environment),
    groups: createLmdbGroups(environment),
    users: createLmdbUsers(environment),
    relations: createLmdbRelations(environment),
    settings: createLmdbConversationSettings(environment),
    bus,
    clock,
    random,
  };
  const sessions = createLmdbSessions(environment);
  const rateLimits = createMemoryRateLimits();
  const rules = { current: ratePresets[config.limits.preset] };
  const accountDeps: AccountDeps = {
    users: ports.users,
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
    nodeId: config.node.name === "" ? `${hostname()}-${randomBytes(4).toString("hex")}` : config.node.name,
    log,
    clock,
    random,
    core: createCore(ports, {}),
    ports,
    sessions,
    presence: createMemoryPresence(),
    typing: createMemoryTyping(),
    rateLimits,
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
      await environment.close();
    },
  };
}
