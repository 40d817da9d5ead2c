import type { ConnectionState } from "../../client/machine/types.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import type { PresenceObservations } from "../presence/observations.ts";
import type { Directory } from "../data/directory.ts";
import { seedFor } from "../data/mix.ts";
import type { Population } from "../data/population.ts";
import type { Fleet } from "./fleet.ts";
import type { ServerWorkerSetup } from "./messages.ts";
import { monotonicMs } from "./monotonic.ts";
import { PresenceCast } from "./presence-cast.ts";
import { PresenceRecorder } from "./presence-recorder.ts";
import type { Slots } from "./slots.ts";

/** The part of a load worker that checks presence: what it notes of the population's devices, and people of its own. */
export interface PresencePartOptions {
  readonly slots: Slots;
  readonly directory: Directory;
  readonly population: Population;
  /** Of the population. */
  readonly fleet: () => Fleet;
}

/** Undefined: presence is not checked. */
export function createPresencePart(
  { presence, urls, scenario }: ServerWorkerSetup,
  options: PresencePartOptions,
): PresencePart | undefined {
  if (presence === undefined) return undefined;
  const recorder = new PresenceRecorder();
  const seed = seedFor(scenario.seed, "presence");
  const cast = new PresenceCast({ setup: presence, urls, recorder, seed, nowMs: monotonicMs });
  return new PresencePart(presence.users, recorder, cast, options);
}

export class PresencePart {
  readonly #recorder: PresenceRecorder;
  readonly #cast: PresenceCast;
  /** By slot of the population's fleet. */
  readonly #watched = new Map<number, Uuid>();
  readonly #fleet: PresencePartOptions["fleet"];

  constructor(users: readonly number[], recorder: PresenceRecorder, cast: PresenceCast, options: PresencePartOptions) {
    const { slots, directory, population, fleet } = options;
    this.#recorder = recorder;
    this.#cast = cast;
    this.#fleet = fleet;
    for (const user of users) {
      if (!slots.ownsUser(user)) continue;
      const first = slots.firstOf(user);
      for (let slot = first; slot < first + population.devicesPerUser; slot++) {
        this.#watched.set(slot, directory.userId(user));
      }
    }
  }

  start(): void {
    this.#cast.start();
  }

  /** Every millisecond or so. */
  pulse(nowMs: number): void {
    this.#recorder.pulse(nowMs);
    this.#cast.advance(nowMs);
  }

  connection(slot: number, state: ConnectionState): void {
    const userId = this.#watched.get(slot);
    if (userId === undefined) return;
    const fleet = this.#fleet();
    const end = fleet.isAway(slot) ? "left" : "lost";
    this.#recorder.connection(slot, { userId, server: fleet.serverOf(slot) }, state, end, monotonicMs());
  }

  beat(slot: number): void {
    if (this.#watched.has(slot)) this.#recorder.beat(slot, monotonicMs());
  }

  frame(slot: number, { type }: ServerFrame): void {
    if (type === "HEARTBEAT_ACK" && this.#watched.has(slot)) this.#recorder.answered(slot, monotonicMs());
  }

  observations(t0Ms: number): PresenceObservations {
    return this.#recorder.observations(t0Ms);
  }

  close(): void {
    this.#cast.close();
  }
}
