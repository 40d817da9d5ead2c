import { WireError } from "../../protocol/wire-errors.ts";
import type { FanOutQueue } from "../ports/fan-out-queue.ts";

/** For a deployment without a queue: groups stay at what one append can list, and nothing else is different. */
export const noFanOutQueue: FanOutQueue = {
  ready: () => Promise.reject(absent()),
  enqueue: () => Promise.reject(absent()),
  consume: async () => ({ pause: () => undefined, resume: () => undefined, stop: async () => undefined }),
  lag: async () => ({ jobsWaiting: 0, oldestAt: 0 }),
};

function absent(): WireError {
  return new WireError("store_unavailable", { detail: "This deployment has no queue for large groups." });
}
