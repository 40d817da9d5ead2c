import path from "node:path";
import { createSystemRandom } from "../base/random.ts";
import { openFilesystemMedia } from "../stores/filesystem/media.ts";
import { createLmdbConversationLists } from "../stores/lmdb/conversation-lists.ts";
import { createLmdbConversationSettings } from "../stores/lmdb/conversation-settings.ts";
import type { Environment } from "../stores/lmdb/environment.ts";
import { DataFolderError } from "../stores/lmdb/errors.ts";
import { createLmdbFanOutQueue } from "../stores/lmdb/fan-out-queue.ts";
import { createLmdbGroups } from "../stores/lmdb/groups.ts";
import { createLmdbMediaRows } from "../stores/lmdb/media.ts";
import { createLmdbMessageLog } from "../stores/lmdb/message-log.ts";
import { openEnvironment } from "../stores/lmdb/open-environment.ts";
import { createLmdbReceipts } from "../stores/lmdb/receipts.ts";
import { createLmdbRelations } from "../stores/lmdb/relations.ts";
import { createLmdbSessions } from "../stores/lmdb/sessions.ts";
import { createLmdbUsers } from "../stores/lmdb/users.ts";
import { createMemoryBus } from "../stores/memory/bus.ts";
import { createMemoryPresence } from "../stores/memory/presence.ts";
import { createMemoryRateLimits } from "../stores/memory/rate-limits.ts";
import { createMemoryTyping } from "../stores/memory/typing.ts";
import type { Config } from "./config/config-schema.ts";
import type { StoreDeps, StoreSet } from "./context-types.ts";

/**
 * One LMDB environment for everything durable, memory for everything that may be lost, and one process, so the bus is a
 * call. Rejects with DataFolderError when the folder is held by another process, too new or broken.
 */
export async function openEmbeddedStores(config: Config, deps: StoreDeps): Promise<StoreSet> {
  const { clock, log } = deps;
  const { directory, size_bytes_max: dataBytesMax } = config.data;
  const environment = await openEnvironment(directory, { clock, dataBytesMax });
  const mediaFiles = await openMedia(directory, environment);
  return {
    log: createLmdbMessageLog(environment),
    lists: createLmdbConversationLists(environment),
    receipts: createLmdbReceipts(environment),
    groups: createLmdbGroups(environment),
    users: createLmdbUsers(environment),
    relations: createLmdbRelations(environment),
    settings: createLmdbConversationSettings(environment),
    fanOut: createLmdbFanOutQueue(environment, { clock }),
    mediaRows: createLmdbMediaRows(environment),
    mediaObjects: mediaFiles,
    mediaFiles,
    sessions: createLmdbSessions(environment),
    bus: createMemoryBus((error) => log.error({ err: error }, "A delivery failed")),
    presence: createMemoryPresence(),
    typing: createMemoryTyping(),
    rateLimits: createMemoryRateLimits(),
    registry: undefined,
    interest: undefined,
    lost: () => [],
    queues: () => ({ entries: { lmdb: environment.waiting }, bytes: {} }),
    close: () => environment.close(),
  };
}

/** Behind the lock of the data folder, which the environment holds. */
async function openMedia(directory: string, environment: Environment) {
  const folder = path.join(directory, "media");
  try {
    return await openFilesystemMedia(folder, { random: createSystemRandom() });
  } catch (cause) {
    await environment.close();
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new DataFolderError("folder_unusable", `${folder}: ${said}`, cause);
  }
}
