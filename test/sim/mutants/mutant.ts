import type { Clock } from "../../../src/base/clock.ts";
import type { ConnectionRegistry } from "../../../src/core/ports/connection-registry.ts";
import type { Presence, PresenceInterest } from "../../../src/core/ports/presence.ts";
import type { RedisClient } from "../../../src/stores/redis/connect.ts";
import type { Core, CorePorts } from "../../../src/core/api.ts";
import type { Notice } from "../../../src/core/ports/bus.ts";
import type { CoreOptions } from "../../../src/core/create-core.ts";
import type { Machine } from "../../../src/client/machine/types.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import type { ClientFrame } from "../../../src/protocol/frames/client-frames.ts";
import type { Plan } from "../plan.ts";
import type { Stores } from "../stores.ts";
import type { SimRedis } from "../redis/sim-redis.ts";

/** The device as a mutant of its frames may touch it. */
export interface MutantDevice {
  readonly userId: Uuid;
  nowMs(): number;
  machine(): Machine | undefined;
  /** Runs in a task of its own, if the process still lives then. */
  soon(run: (machine: Machine) => void): void;
}

/**
 * A planted mistake: wraps what a node or a device is given, so that the whole behaves as if the rule were not there. The
 * simulation is worth as much as the mutants that it finds.
 */
export interface Mutant {
  /** What a programmer would have got wrong. */
  readonly name: string;
  /** Whether a run of the plan could show it; absent = any run. */
  shows?(plan: Plan): boolean;
  /** Called for each process of a node. */
  ports?(ports: CorePorts, stores: Stores): CorePorts;
  /** As `ports`, for what sends and changes groups only: readers keep theirs. */
  sendingPorts?(ports: CorePorts, stores: Stores): CorePorts;
  core?(core: Core, stores: Stores): Core;
  readonly coreOptions?: CoreOptions;
  /** Which notices of other nodes are heard; absent = all. */
  hears?(notice: Notice): boolean;
  redis?(redis: SimRedis): void;
  /** Called for each process of a node. */
  redisClient?(client: RedisClient, clock: Clock): RedisClient;
  /** Called for each process of a node. */
  registry?(registry: ConnectionRegistry): ConnectionRegistry;
  /** Called for each process of a node. */
  presence?(presence: Presence): Presence;
  /** Called for each process of a node. */
  interest?(interest: PresenceInterest): PresenceInterest;
  /** Called for each process of a device; answers what it really sends (undefined = nothing). */
  frames?(device: MutantDevice): (frame: ClientFrame) => ClientFrame | undefined;
  /** Whether the disk of a device says "durable" before it is; default false. */
  readonly diskLies?: boolean;
}
