import type { Uuid } from "../../src/protocol/ids.ts";
import { createUuidV7 } from "../../src/protocol/ids.ts";
import { MemoryFanOutQueue } from "../helpers/core-ports/memory-fan-out-queue.ts";
import { MemoryGroups } from "../helpers/core-ports/memory-groups.ts";
import { MemoryLists } from "../helpers/core-ports/memory-lists.ts";
import { MemoryLog } from "../helpers/core-ports/memory-log.ts";
import { MemoryMedia } from "../helpers/core-ports/memory-media.ts";
import { MemoryConversationSettings, MemoryRelations, MemoryUsers } from "../helpers/core-ports/memory-people.ts";
import { MemoryReceipts } from "../helpers/core-ports/memory-receipts.ts";
import { SimWeather } from "./faults.ts";
import type { Plan } from "./plan.ts";
import { SimRedis } from "./redis/sim-redis.ts";
import type { Scheduler } from "./scheduler.ts";

/** The stores of one deployment: all nodes work on them, and they outlive every node. */
export interface Stores {
  readonly weather: SimWeather;
  readonly redis: SimRedis;
  readonly log: MemoryLog;
  readonly lists: MemoryLists;
  readonly receipts: MemoryReceipts;
  readonly groups: MemoryGroups;
  readonly fanOut: MemoryFanOutQueue;
  readonly users: MemoryUsers;
  readonly relations: MemoryRelations;
  readonly settings: MemoryConversationSettings;
  readonly media: MemoryMedia;
}

export function createStores(scheduler: Scheduler, plan: Plan): Stores {
  const weather = new SimWeather(scheduler, plan, () => log.settleLate());
  const lists = new MemoryLists(weather);
  const receipts = new MemoryReceipts(weather);
  const log = new MemoryLog(lists, receipts, plan.bucketRows, weather);
  return {
    weather,
    redis: new SimRedis(scheduler, plan.rough, plan.redisDelayMsMax),
    log,
    lists,
    receipts,
    groups: new MemoryGroups(weather),
    fanOut: new MemoryFanOutQueue(weather, scheduler.clock(0)),
    users: new MemoryUsers(weather),
    relations: new MemoryRelations(weather),
    settings: new MemoryConversationSettings(weather),
    media: new MemoryMedia(weather),
  };
}

export function addUser(stores: Stores, scheduler: Scheduler): Uuid {
  const userId = createUuidV7(1_700_000_000_000, scheduler.random);
  stores.users.put({ userId, handle: `user-${userId}`, displayName: "", createdAt: 0 });
  return userId;
}
