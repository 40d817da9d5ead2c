import type { Uuid } from "../../protocol/ids.ts";

/** A device that beats in this process. */
export interface LocalBeat {
  readonly device: number;
  readonly connection: string;
  /** When it beat last, by the caller's clock. */
  at: number;
  /** The claim under which Redis was told of it, and when; "" = not yet. */
  claim: string;
  writtenAt: number;
  /** The write under way or done last: what ends the connection must come after it. */
  writing: Promise<void> | undefined;
}

/**
 * The devices that beat in this process, so that Redis is told of a connection once and then, in lease mode, left alone.
 * As many as there are connections: one that ends leaves, one that falls silent is withdrawn.
 */
export class LocalBeats {
  readonly #byUser = new Map<Uuid, LocalBeat[]>();

  /** The beat of this connection, noted as of `at`; of two connections of a device the one that beat last has it. */
  note(userId: Uuid, device: number, connection: string, at: number): LocalBeat {
    const beats = this.#byUser.get(userId) ?? [];
    // To the end: users stand in the order of their last beats.
    this.#byUser.delete(userId);
    this.#byUser.set(userId, beats);
    const index = beats.findIndex((beat) => beat.device === device);
    const known = beats[index];
    if (known?.connection === connection) {
      known.at = Math.max(known.at, at);
      return known;
    }
    const fresh: LocalBeat = { device, connection, at, claim: "", writtenAt: 0, writing: undefined };
    if (known === undefined) beats.push(fresh);
    else beats[index] = fresh;
    return fresh;
  }

  get(userId: Uuid, device: number, connection: string): LocalBeat | undefined {
    return this.#byUser.get(userId)?.find((beat) => beat.device === device && beat.connection === connection);
  }

  remove(userId: Uuid, beat: LocalBeat): void {
    const beats = this.#byUser.get(userId);
    const index = beats?.indexOf(beat) ?? -1;
    if (beats === undefined || index < 0) return;
    beats.splice(index, 1);
    if (beats.length === 0) this.#byUser.delete(userId);
  }

  /** Takes back a removal, unless another connection of the device beats by now. */
  restore(userId: Uuid, beat: LocalBeat): void {
    const beats = this.#byUser.get(userId);
    if (beats === undefined) this.#byUser.set(userId, [beat]);
    else if (!beats.some(({ device }) => device === beat.device)) beats.push(beat);
  }

  /** Those of a user whose last beat is `ttlMs` old or older. */
  silentOf(userId: Uuid, at: number, ttlMs: number): readonly LocalBeat[] {
    return this.#byUser.get(userId)?.filter((beat) => at - beat.at >= ttlMs) ?? [];
  }

  /** Users none of whose devices beat for `ttlMs`; looks no further than the first who did. */
  silentUsers(at: number, ttlMs: number): readonly Uuid[] {
    const silent: Uuid[] = [];
    for (const [userId, beats] of this.#byUser) {
      if (beats.some((beat) => at - beat.at < ttlMs)) break;
      silent.push(userId);
    }
    return silent;
  }

  *all(): Generator<{ readonly userId: Uuid; readonly beat: LocalBeat }> {
    for (const [userId, beats] of this.#byUser) for (const beat of beats) yield { userId, beat };
  }
}
