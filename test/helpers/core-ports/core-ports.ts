import { createSeededRandom, type Random } from "../../../src/base/random.ts";
import type { CorePorts } from "../../../src/core/api.ts";
import { createUuidV7, type Uuid } from "../../../src/protocol/ids.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryBusHub } from "./memory-bus.ts";
import { MemoryFanOutQueue } from "./memory-fan-out-queue.ts";
import { MemoryGroups } from "./memory-groups.ts";
import { MemoryLists } from "./memory-lists.ts";
import { MemoryLog } from "./memory-log.ts";
import { MemoryMedia } from "./memory-media.ts";
import { MemoryConversationSettings, MemoryRelations, MemoryUsers } from "./memory-people.ts";
import { MemoryReceipts } from "./memory-receipts.ts";
import { fairWeather, type Weather } from "./weather.ts";

export interface MemoryWorldOptions {
  /** Rows of a bucket; 4 crosses borders all the time. */
  readonly bucketRows?: number;
  readonly weather?: Weather;
  readonly random?: Random;
  readonly clock?: ManualClock;
}

/** The stores of one deployment, in memory. Any number of cores may run on it, each with ports of its own. */
export interface MemoryWorld {
  readonly lists: MemoryLists;
  readonly log: MemoryLog;
  readonly receipts: MemoryReceipts;
  readonly groups: MemoryGroups;
  readonly fanOut: MemoryFanOutQueue;
  readonly users: MemoryUsers;
  readonly relations: MemoryRelations;
  readonly settings: MemoryConversationSettings;
  readonly media: MemoryMedia;
  readonly hub: MemoryBusHub;
  readonly clock: ManualClock;
  readonly random: Random;
  /** Ports for one more core: the same stores, its own end of the bus. */
  ports(): CorePorts;
  /** A new user, there at once. */
  user(): Uuid;
  /** A new id of now. */
  id(): Uuid;
}

export function createMemoryWorld(options: MemoryWorldOptions = {}): MemoryWorld {
  const weather = options.weather ?? fairWeather();
  const clock = options.clock ?? new ManualClock();
  const random = options.random ?? createSeededRandom(1);
  const lists = new MemoryLists(weather);
  const receipts = new MemoryReceipts(weather);
  const log = new MemoryLog(lists, receipts, options.bucketRows ?? 4, weather);
  const groups = new MemoryGroups(weather);
  const fanOut = new MemoryFanOutQueue(weather, clock);
  const users = new MemoryUsers(weather);
  const relations = new MemoryRelations(weather);
  const settings = new MemoryConversationSettings(weather);
  const media = new MemoryMedia(weather);
  const hub = new MemoryBusHub(weather);
  const stores = { lists, log, receipts, groups, fanOut, users, relations, settings, media, clock, random };
  const id = (): Uuid => createUuidV7(clock.nowMs(), random);
  const user = (): Uuid => {
    const userId = id();
    users.put({ userId, handle: `user-${userId}`, displayName: "", createdAt: clock.nowMs() });
    return userId;
  };
  return { ...stores, hub, id, user, ports: () => ({ ...stores, bus: hub.attach() }) };
}
