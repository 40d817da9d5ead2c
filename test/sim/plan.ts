import type { PresenceMode } from "../../src/stores/redis/presence.ts";
import { createSeededRandom } from "../../src/base/random.ts";
import { createTightness, type Tightness } from "./tightness.ts";

/** How rough a run is; each a share in [0, 1] of the operations it is asked for. */
export interface Roughness {
  readonly appends: number;
  readonly stores: number;
  /** Of what processes publish to each other. */
  readonly messagesLost: number;
  readonly messagesDoubled: number;
  readonly messagesLate: number;
  readonly redisRefuses: number;
  readonly noticesLost: number;
}

/** What one seed stands for, drawn before anything runs. Weights of actions are relative. */
export interface Plan {
  readonly seed: number;
  readonly nodes: number;
  /** Devices of each user. */
  readonly devices: readonly number[];
  readonly groups: number;
  readonly actions: number;
  /** Mean time between two actions. */
  readonly paceMs: number;
  readonly bucketRows: number;
  readonly lanesMax: number;
  readonly storeDelayMsMax: number;
  readonly diskDelayMsMax: number;
  readonly answerTimeoutMs: number;
  readonly receiptDelayMs: number;
  /** Pages after which a sync stops and has to be asked to go on. */
  readonly syncPagesMax: number;
  /** Larger groups are told by the fan-out workers. */
  readonly membersDirectFanOutMax: number;
  readonly redisDelayMsMax: number;
  /** By how much wall clocks of nodes may be off, either way. */
  readonly skewMs: number;
  /** By how much clocks of nodes may be too fast or too slow. */
  readonly driftShare: number;
  /** A process has the name of the one before it; else each start makes up its own. */
  readonly fixedNames: boolean;
  readonly registryMode: PresenceMode;
  readonly rough: Roughness;
  /** Undefined: nothing is limited. */
  readonly tight: Tightness | undefined;
  readonly weights: Readonly<Record<ActionKind, number>>;
}

export type ActionKind =
  | "send"
  | "read"
  | "group"
  | "block"
  | "quarrel"
  | "cut"
  | "roam"
  | "deafen"
  | "crash"
  | "away"
  | "link"
  | "lose"
  | "pauseNode"
  | "killNode"
  | "drainNode"
  | "flushRedis"
  | "stopRedis"
  | "hangRedis"
  | "cutRedis"
  | "blackout"
  | "history"
  | "open"
  | "resend"
  | "flood";

const weights: Readonly<Record<ActionKind, number>> = {
  send: 30,
  read: 12,
  group: 8,
  block: 3,
  quarrel: 1,
  cut: 4,
  roam: 1,
  deafen: 1,
  crash: 3,
  away: 3,
  link: 1,
  lose: 1,
  pauseNode: 2,
  killNode: 2,
  drainNode: 1,
  flushRedis: 1,
  stopRedis: 1,
  hangRedis: 1,
  cutRedis: 2,
  blackout: 1,
  history: 2,
  open: 1,
  resend: 2,
  flood: 0,
};

export function createPlan(seed: number): Plan {
  // A stream of its own: what is drawn while the run goes on must not change with it.
  const random = createSeededRandom(seed ^ 0x5eed);
  const below = (bound: number): number => Math.floor(random.float() * bound);
  const one = <T>(...list: readonly T[]): T => list[below(list.length)] as T;
  const level = one(0, 0.5, 1, 1, 2);
  const tight = createTightness(seed);
  return {
    seed,
    nodes: one(1, 2, 2, 3),
    devices: one([2, 1, 1], [2, 2, 1], [1, 1, 1], [2, 1, 1, 1]),
    groups: one(0, 1, 1, 2),
    actions: 30 + below(30),
    paceMs: one(40, 150, 400, 1_000),
    bucketRows: one(4, 4, 4, 5),
    lanesMax: one(2, 64),
    storeDelayMsMax: one(2, 20, 120),
    diskDelayMsMax: one(0, 10, 200),
    answerTimeoutMs: one(2_000, 15_000),
    receiptDelayMs: one(0, 20, 300),
    syncPagesMax: one(3, 64, 64),
    redisDelayMsMax: one(1, 5, 40),
    skewMs: one(0, 2_000, 300_000),
    driftShare: one(0, 0.001),
    fixedNames: one(true, false),
    registryMode: one("literal", "lease"),
    membersDirectFanOutMax: one(499, 2, 3),
    rough: {
      appends: 0.08 * level,
      stores: 0.02 * level,
      messagesLost: 0.02 * level,
      messagesDoubled: 0.005 * level,
      messagesLate: 0.005 * level,
      redisRefuses: 0.01 * level,
      noticesLost: 0.2 * level,
    },
    tight,
    weights: { ...weights, ...(level === 0 ? calm : {}), ...(tight === undefined ? {} : { flood: 12 }) },
  };
}

/** Without faults of machines: what goes wrong then is wrong in the rules themselves. */
const calm = {
  cut: 1,
  roam: 0,
  deafen: 0,
  crash: 1,
  pauseNode: 0,
  killNode: 0,
  blackout: 0,
  flushRedis: 0,
  stopRedis: 0,
  hangRedis: 0,
  cutRedis: 0,
};
