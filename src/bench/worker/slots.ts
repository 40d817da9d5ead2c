import type { Population } from "../data/population.ts";
import { owns, type Share } from "../executors/executor.ts";

/**
 * The devices of one worker, numbered without holes. Worker i of n owns the users u with u mod n = i; all devices of a user
 * lie side by side. "Device" is the global number of data/population.ts, "slot" the place in this worker.
 */
export class Slots {
  readonly count: number;
  readonly #population: Population;
  readonly #share: Share;

  constructor(population: Population, share: Share) {
    this.#population = population;
    this.#share = share;
    const users = Math.max(0, Math.ceil((population.users - share.index) / share.count));
    this.count = users * population.devicesPerUser;
  }

  ownsUser(user: number): boolean {
    return owns(this.#share, user);
  }

  userOf(slot: number): number {
    return Math.floor(slot / this.#population.devicesPerUser) * this.#share.count + this.#share.index;
  }

  deviceOf(slot: number): number {
    const { devicesPerUser } = this.#population;
    return this.userOf(slot) * devicesPerUser + (slot % devicesPerUser);
  }

  /** First slot of an own user. */
  firstOf(user: number): number {
    return Math.floor(user / this.#share.count) * this.#population.devicesPerUser;
  }
}

/** To which of the servers the device in a slot connects first. */
export function firstServerOf(slot: number, servers: number): number {
  return slot % servers;
}
