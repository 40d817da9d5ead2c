import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { FanOutConsumption, FanOutJob, FanOutLag, FanOutQueue, QueuedJob } from "../ports/fan-out-queue.ts";

/** There is nothing to pause or to stop. */
const nothing: FanOutConsumption = { pause: () => undefined, resume: () => undefined, stop: () => Promise.resolve() };

/**
 * The queue of a deployment that has none. Groups stop where a send needs no queue; one that was larger before is refused
 * as when the queue is gone, and goes on when there is one again.
 */
export class NoFanOutQueue implements FanOutQueue {
  readonly membersMax = limits.membersDirectFanOutMax;

  ready(): Promise<void> {
    const detail = `This deployment serves groups of up to ${this.membersMax} members.`;
    return Promise.reject(new WireError("store_unavailable", { detail }));
  }

  enqueue(jobs: readonly FanOutJob[]): Promise<void> {
    return jobs.length === 0 ? Promise.resolve() : this.ready();
  }

  consume(_handle: (jobs: readonly QueuedJob[]) => Promise<void>): Promise<FanOutConsumption> {
    return Promise.resolve(nothing);
  }

  lag(): Promise<FanOutLag> {
    return Promise.resolve({ jobsWaiting: 0, oldestAt: 0 });
  }
}
