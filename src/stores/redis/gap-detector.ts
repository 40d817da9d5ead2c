import type { BatchHeader } from "./bus-batch.ts";

interface Sender {
  readonly epoch: string;
  /** The number heard last; undefined = the next one is taken as it is. */
  counter: number | undefined;
  heardAtMs: number;
  /** Its silence has been reported; if it speaks again, its numbers go on. */
  isSilent: boolean;
}

/** Processes kept in mind; far more than a cluster has. */
const sendersMax = 4_096;

/**
 * Finds out that something sent to this process did not arrive. Every process numbers its batches to every other one, per
 * pair of epochs, and repeats the last number each second. So a batch that was lost shows with the next batch or with the
 * next beacon; a process that died with batches unsent shows by its silence or by its next epoch.
 *
 * Pure: no clock, no timers. Answers are reasons, undefined = nothing is missing.
 */
export class GapDetector {
  #ownEpoch: string;
  readonly #senders = new Map<string, Sender>();

  constructor(ownEpoch: string) {
    this.#ownEpoch = ownEpoch;
  }

  hear(header: BatchHeader, atMs: number): string | undefined {
    const { from, fromEpoch, toEpoch, kind } = header;
    // Numbered for the epoch before; the sender will hear of the new one.
    if (toEpoch !== this.#ownEpoch || kind === "hello") return undefined;
    const known = this.#senders.get(from);
    const isNew = known === undefined || known.epoch !== fromEpoch;
    const last = isNew ? 0 : known.counter;
    const expected = kind === "batch" ? 1 : 0;
    const missing = last === undefined ? 0 : header.counter - last - expected;
    if (kind === "bye") this.#senders.delete(from);
    else this.#note(from, fromEpoch, header.counter, atMs);
    // Batches of one process arrive in order: a lower number says that it forgot what it had numbered.
    if (missing < 0 || (isNew && known !== undefined)) return `process ${from} began anew`;
    return missing > 0 ? `${missing} batches of process ${from} are missing` : undefined;
  }

  /**
   * Processes that were not heard for `silentMs` may have died with something unsent: told once for each silence. One that
   * was only held up goes on where it was, and nothing is missing then; after `goneMs` it is forgotten, and its next word
   * counts as the first of a process that nobody knew.
   */
  silent(atMs: number, silentMs: number, goneMs: number): string | undefined {
    let reason: string | undefined;
    for (const [from, sender] of this.#senders) {
      const forMs = atMs - sender.heardAtMs;
      if (forMs >= silentMs && !sender.isSilent) reason = `process ${from} fell silent`;
      if (forMs >= silentMs) sender.isSilent = true;
      if (forMs >= goneMs) this.#senders.delete(from);
    }
    return reason;
  }

  /** This process was held up itself: how long the others were silent before says nothing. */
  excuse(atMs: number): void {
    for (const sender of this.#senders.values()) if (!sender.isSilent) sender.heardAtMs = atMs;
  }

  /** What was missed until now is known to be lost and was reported: only what comes counts. */
  adopt(atMs: number): void {
    for (const sender of this.#senders.values()) {
      sender.counter = undefined;
      sender.heardAtMs = atMs;
      sender.isSilent = false;
    }
  }

  /** This process has a new epoch: every other one counts from 1 again. */
  restart(ownEpoch: string): void {
    this.#ownEpoch = ownEpoch;
    this.#senders.clear();
  }

  #note(from: string, epoch: string, counter: number, atMs: number): void {
    const known = this.#senders.get(from);
    if (known?.epoch === epoch) {
      known.counter = counter;
      known.heardAtMs = atMs;
      known.isSilent = false;
    } else if (known !== undefined || this.#senders.size < sendersMax) {
      this.#senders.set(from, { epoch, counter, heardAtMs: atMs, isSilent: false });
    }
  }
}
