import type { Admin, ConnectionPool } from "@platformatic/kafka";
import type { Clock, Timer } from "../../base/clock.ts";
import { byLeader, fetchRecords, type FetchedPartition, type Place } from "./fetch-records.ts";

/** A partition of this process, for as long as it is. */
export interface Hold {
  readonly partition: number;
  /** Of the next job to read. */
  next: bigint;
}

export interface JobFetcherOptions {
  readonly admin: Admin;
  readonly pool: ConnectionPool;
  readonly topic: string;
  readonly clock: Clock;
  /** What has room for more. */
  readonly wants: () => readonly Hold[];
  /** `from`: where was asked for. The hold may be gone, or have moved on, meanwhile. */
  readonly onFetched: (hold: Hold, from: bigint, found: FetchedPartition) => void;
}

interface HeldPlace extends Place {
  readonly hold: Hold;
}

export const offsetOutOfRange = 1;
/** New jobs come at once; a partition that is gained meanwhile waits for so long. */
const waitMs = 250;
/** More than the largest batch that a writer makes (job-writer.ts): what does not fit would never be read. */
const bytesPerPartitionMax = 256 * 1024;
const againAfterMs = 250;

/** Reads the partitions that have room, one request at a time from each node of the cluster. Failures are tried again. */
export class JobFetcher {
  readonly #options: JobFetcherOptions;
  /** Nodes that were asked and have not answered. */
  readonly #asked = new Set<number>();
  #isLooking = false;
  #isWoken = false;
  #isStopped = false;
  #later: Timer | undefined;

  constructor(options: JobFetcherOptions) {
    this.#options = options;
  }

  /** Something has room again, or is new. */
  wake(): void {
    this.#isWoken = true;
    if (!this.#isLooking) void this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#later?.cancel();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    while (this.#isWoken && !this.#isStopped) {
      this.#isWoken = false;
      try {
        await this.#ask();
      } catch {
        // The health of the queue tells; here it only means: again.
        this.#wakeLater();
      }
    }
    this.#isLooking = false;
  }

  async #ask(): Promise<void> {
    const { admin, topic, wants } = this.#options;
    const places = wants().map((hold): HeldPlace => ({ hold, partition: hold.partition, offset: hold.next }));
    if (places.length === 0) return;
    const led = await byLeader(admin, topic, places);
    for (const [node, at] of led) if (!this.#asked.has(node)) void this.#fetch(node, at);
    const reached = [...led.values()].reduce((sum, at) => sum + at.length, 0);
    if (reached < places.length) this.#wakeLater();
  }

  async #fetch(node: number, places: readonly HeldPlace[]): Promise<void> {
    const { admin, pool, topic, onFetched } = this.#options;
    this.#asked.add(node);
    try {
      const found = await fetchRecords(admin, pool, topic, node, places, { waitMs, bytesPerPartitionMax });
      const at = new Map(places.map((place) => [place.partition, place]));
      for (const each of found) {
        const place = at.get(each.partition);
        if (place !== undefined) onFetched(place.hold, place.offset, each);
      }
      const isMoved = found.some(({ errorCode }) => errorCode !== 0 && errorCode !== offsetOutOfRange);
      if (isMoved) throw new Error("a partition is led by another node now");
      this.#asked.delete(node);
      this.wake();
    } catch {
      this.#asked.delete(node);
      admin.clearMetadata();
      this.#wakeLater();
    }
  }

  /** However many reasons there are. */
  #wakeLater(): void {
    this.#later ??= this.#options.clock.schedule(againAfterMs, () => {
      this.#later = undefined;
      this.wake();
    });
  }
}
