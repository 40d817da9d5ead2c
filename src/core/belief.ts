import type { Clock } from "../base/clock.ts";
import type { Uuid } from "../protocol/ids.ts";
import type { Bus } from "./ports/bus.ts";

/** What is read is read again after this, however well the bus is heard: the bound of what a change without a notice costs. */
const believedMsMax = 60_000;
/** How old the proof may be that everything announced was heard (I7: a block counts a second after the server's decision). */
const proofAgeMsMax = 1_000;

/**
 * For how long this process may use what it has read of things that other processes change.
 *
 *   ttlMs Infinity              for ever: it is the only writer, and drops what it changes itself
 *   younger than ttlMs          yes, whatever the bus does
 *   younger than believedMsMax  as long as the bus proves that nothing announced since the read was missed (Bus.hearing)
 *
 * Nothing is dropped when the bus falls silent or lost something: what was read before is just not believed any more, and
 * is believed again only where the proof reaches back to its reading. So there is no flush that could come too late.
 */
export class Belief {
  readonly #bus: Pick<Bus, "hearing">;
  readonly #clock: Clock;
  readonly #ttlMs: number;

  /** `ttlMs`: how long what was read is believed without a word from the bus, ms. */
  constructor({ bus, clock }: { readonly bus: Pick<Bus, "hearing">; readonly clock: Clock }, ttlMs: number) {
    this.#bus = bus;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** `readAtMs`: monotonic, when the read began. What was announced about it since then, its keeper has dropped. */
  holds(readAtMs: number, nowMs: number = this.nowMs()): boolean {
    const ageMs = nowMs - readAtMs;
    if (ageMs <= this.#ttlMs) return true;
    if (ageMs > believedMsMax) return false;
    const { sinceMs, toMs } = this.#bus.hearing();
    return readAtMs >= sinceMs && nowMs - toMs <= proofAgeMsMax;
  }
}

/**
 * Reads under way and answers of late, one a key: who asks while a read is under way waits for that one. A read that began
 * before `forget` is never kept. At most entriesMax; the one unused for the longest time goes first.
 */
export class BelievedReads<V> {
  readonly #belief: Belief;
  readonly #read: (key: Uuid) => Promise<V | undefined>;
  readonly #entriesMax: number;
  readonly #entries = new Map<Uuid, { readonly readAtMs: number; readonly answer: Promise<V | undefined> }>();

  /** `read`: undefined = there is none; asked again each time, since nobody announces what comes into being. */
  constructor(belief: Belief, entriesMax: number, read: (key: Uuid) => Promise<V | undefined>) {
    this.#belief = belief;
    this.#entriesMax = entriesMax;
    this.#read = read;
  }

  get(key: Uuid): Promise<V | undefined> {
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    const entry = known !== undefined && this.#belief.holds(known.readAtMs) ? known : this.#begin(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#entriesMax) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    return entry.answer;
  }

  forget(key: Uuid): void {
    this.#entries.delete(key);
  }

  #begin(key: Uuid) {
    const entry = { readAtMs: this.#belief.nowMs(), answer: this.#read(key) };
    const dropUnless = (keep: boolean): void => {
      if (!keep && this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    entry.answer.then(
      (value) => dropUnless(value !== undefined),
      () => dropUnless(false),
    );
    return entry;
  }
}
