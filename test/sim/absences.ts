import { limits } from "../../src/protocol/limits.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { presenceRefreshMs } from "../../src/server/presence-watch.ts";
import { leaseTtlMs } from "../../src/stores/redis/lease.ts";
import { checkPresence, type PresenceBounds } from "./check-presence.ts";
import type { World } from "./world.ts";

/** A change of presence is told within this (I6), and what the stores take to say who may know of it. */
const newsMs = 1_000;
const readsPerNews = 80;
/** Beyond this a look that is due anyway would be in time as often as the news. */
const promptMsMax = 3_000;
/** How often a process looks who fell silent. */
const sweepMs = 1_000;
/** Everything that may be on its way when faults end is over by then. */
export const lingerMs = 30_000;

/** People who leave and come back, each way there is, while everybody looks at everybody's presence. */
export class Absences {
  readonly #world: World;
  #restingId: Uuid | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** Just before faults end somebody leaves, and is away until `comeBack`. */
  leaveInTheStorm(atMs: number): void {
    const { scheduler } = this.#world;
    scheduler.after(atMs - scheduler.nowMs, () => this.#leave(scheduler.chance(0.5)));
  }

  comeBack(): void {
    const { devices } = this.#world;
    for (const device of devices.filter(({ userId }) => userId === this.#restingId)) {
      device.rests = false;
      this.#world.wakeDevice(device);
    }
    this.#restingId = undefined;
  }

  /** Nobody is shown online who is gone for long. */
  checkGone(): void {
    checkPresence(this.#world, { ...this.#bounds(), onlineMs: Infinity });
  }

  /** And whoever is there is shown so. */
  check(): void {
    checkPresence(this.#world, this.#bounds());
  }

  /** In all quiet: one leaves and comes back, and everybody is told at once; another falls silent, perhaps with its process. */
  inQuiet(): void {
    const { scheduler } = this.#world;
    const promptMs = this.#promptMs();
    if (promptMs <= promptMsMax) {
      scheduler.after(1_000, () => this.#leave(true));
      scheduler.after(1_000 + promptMs, () => this.#checkPrompt());
      scheduler.after(6_000, () => this.comeBack());
      for (const connectMs of [200, 600]) scheduler.after(6_000 + connectMs + promptMs, () => this.#checkPrompt());
    }
    scheduler.after(12_000, () => this.#leave(false));
    if (scheduler.chance(0.5)) scheduler.after(12_000, () => this.#killNode());
    scheduler.after(13_000 + this.#bounds().offlineMs, () => {
      this.check();
      this.comeBack();
    });
  }

  /** All devices of somebody; `says`: their connections end at once, else nobody hears of it. */
  #leave(says: boolean): void {
    const { scheduler, users, devices, witness } = this.#world;
    const userId = scheduler.pick(users);
    this.#restingId = userId;
    witness.note(() => `${witness.names.of(userId)} ${says ? "leaves" : "is gone"}`);
    for (const device of devices.filter((each) => each.userId === userId)) {
      device.rests = true;
      if (says) device.machine?.stop(scheduler.nowMs);
      else {
        device.link?.cut(undefined, undefined);
        device.crash();
      }
    }
  }

  #killNode(): void {
    const { scheduler, nodes } = this.#world;
    this.#world.killNode(scheduler.below(nodes.length), scheduler.between(0, 4_000));
  }

  #checkPrompt(): void {
    const promptMs = this.#promptMs();
    checkPresence(this.#world, { onlineMs: promptMs, offlineMs: promptMs });
  }

  #promptMs(): number {
    return newsMs + readsPerNews * this.#world.plan.storeDelayMsMax;
  }

  #bounds(): PresenceBounds {
    const lookMs = presenceRefreshMs + this.#promptMs();
    return { onlineMs: lookMs, offlineMs: Math.max(limits.presenceTtlMs + sweepMs, leaseTtlMs) + lookMs };
  }
}
