import { createSeededRandom } from "../../base/random.ts";
import type { ConnectionState } from "../../client/machine/types.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import type { LifeEnd } from "../presence/observations.ts";
import { Fleet, type FleetListener } from "./fleet.ts";
import type { PresencePerson, PresenceSetup } from "./messages.ts";
import type { PresenceRecorder } from "./presence-recorder.ts";

/**
 * The people of a run who are there for presence alone (driver/presence-plan.ts), in a fleet of their own, so that the load
 * is what it is without them: watchers, who look at everybody every two seconds beside what is pushed to them, and
 *
 *   commuter   there for 5 s, leaves for 5 s
 *   vanisher   there for 12 s, then silent for 55 s on a connection that stays open
 *   mortal     always there; away for a minute when its connection was lost, as if it had died with its server
 */
export interface PresenceCastOptions {
  readonly setup: PresenceSetup;
  readonly urls: readonly string[];
  readonly recorder: PresenceRecorder;
  readonly seed: number;
  readonly nowMs: () => number;
}

const lookEveryMs = 2_000;
/** What was answered proves that the connection was there: more often than clients, so that little stays unproven. */
const beatEveryMs = 5_000;
const stays = { commuter: 5_000, vanisher: 12_000 } as const;
const commuterAwayMs = 5_000;
/** Longer than anybody may be seen online after silence, with time to look. */
const vanisherAwayMs = 55_000;
const mortalAwayMs = 60_000;
/** Or all of them would come and go in one moment. */
const staggerMs = 700;

export class PresenceCast {
  readonly #options: PresenceCastOptions;
  readonly #people: readonly PresencePerson[];
  readonly #fleet: Fleet;
  readonly #beatAtMs: Float64Array;
  /** When it acts next: looks or goes away. */
  readonly #actAtMs: Float64Array;
  readonly #vanishing = new Set<number>();

  constructor(options: PresenceCastOptions) {
    const { setup, urls, seed, nowMs } = options;
    this.#options = options;
    this.#people = setup.people;
    this.#beatAtMs = new Float64Array(setup.people.length).fill(Number.POSITIVE_INFINITY);
    this.#actAtMs = new Float64Array(setup.people.length).fill(Number.POSITIVE_INFINITY);
    this.#fleet = new Fleet({
      urls,
      userIds: setup.people.map(({ userId }) => userId),
      devices: setup.people,
      sourceAddresses: [],
      random: createSeededRandom(seed),
      nowMs,
      listener: this.#createListener(),
    });
  }

  start(): void {
    for (const [slot, { role }] of this.#people.entries()) {
      if (role === "watcher") this.#fleet.machine(slot).watch(this.#options.nowMs(), this.#options.setup.watched);
      this.#fleet.start(slot);
    }
  }

  advance(nowMs: number): void {
    this.#fleet.advance(nowMs);
    for (const [slot, { role }] of this.#people.entries()) {
      if (nowMs >= (this.#beatAtMs[slot] as number)) {
        this.#beatAtMs[slot] = nowMs + beatEveryMs;
        this.#fleet.transmit(slot, { type: "HEARTBEAT" });
      }
      if (nowMs >= (this.#actAtMs[slot] as number)) this.#act(slot, role, nowMs);
    }
  }

  close(): void {
    this.#fleet.close();
  }

  #act(slot: number, role: PresencePerson["role"], nowMs: number): void {
    this.#actAtMs[slot] = Number.POSITIVE_INFINITY;
    switch (role) {
      case "watcher":
        // Who is watched already is told anew.
        this.#actAtMs[slot] = nowMs + lookEveryMs;
        this.#fleet.transmit(slot, { type: "WATCH", user_ids: [...this.#options.setup.watched] });
        break;
      case "commuter":
        this.#fleet.leave(slot, commuterAwayMs);
        break;
      case "vanisher":
        this.#vanishing.add(slot);
        this.#fleet.vanish(slot, vanisherAwayMs);
        break;
      case "mortal":
    }
  }

  #createListener(): FleetListener {
    const { recorder, nowMs } = this.#options;
    return {
      rows() {},
      restarted() {},
      sent() {},
      sendFailed() {},
      watermarks() {},
      conversation() {},
      connection: (slot, state) => this.#noteConnection(slot, state),
      synced() {},
      beat: (slot) => recorder.beat(keyOf(slot), nowMs()),
      takes: (slot, frame) => this.#hear(slot, frame),
      told() {},
    };
  }

  #hear(slot: number, frame: ServerFrame): boolean {
    const { recorder, nowMs } = this.#options;
    if (frame.type === "HEARTBEAT_ACK") recorder.answered(keyOf(slot), nowMs());
    else if (frame.type === "PRESENCE") recorder.told(keyOf(slot), frame.user_id, frame.online, nowMs());
    return false;
  }

  #noteConnection(slot: number, state: ConnectionState): void {
    const { recorder, nowMs } = this.#options;
    const person = this.#people[slot] as PresencePerson;
    const server = this.#fleet.serverOf(slot);
    const [key, atMs] = [keyOf(slot), nowMs()];
    if (person.role === "watcher") {
      if (state === "ready") recorder.watching(key, person.number, server, atMs);
      else recorder.blind(key);
    } else recorder.connection(key, { userId: person.userId, server }, state, this.#endOf(slot), atMs);
    if (state === "ready") {
      this.#vanishing.delete(slot);
      this.#beatAtMs[slot] = atMs + beatEveryMs;
      this.#actAtMs[slot] = atMs + this.#stayMs(person);
    } else {
      this.#beatAtMs[slot] = Number.POSITIVE_INFINITY;
      this.#actAtMs[slot] = Number.POSITIVE_INFINITY;
    }
    if (state === "waiting" && person.role === "mortal" && !this.#fleet.isAway(slot)) {
      this.#fleet.leave(slot, mortalAwayMs);
    }
  }

  #endOf(slot: number): LifeEnd {
    if (this.#vanishing.has(slot)) return "vanished";
    return this.#fleet.isAway(slot) ? "left" : "lost";
  }

  #stayMs({ role, number }: PresencePerson): number {
    switch (role) {
      case "watcher":
        return lookEveryMs;
      case "commuter":
      case "vanisher":
        return stays[role] + (number % 8) * staggerMs;
      case "mortal":
        return Number.POSITIVE_INFINITY;
    }
  }
}

/** Of the recorder, where the population's devices have the keys from 0 on. */
function keyOf(slot: number): number {
  return -1 - slot;
}
