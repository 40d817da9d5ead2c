import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { FanOutJob } from "../ports/fan-out-queue.ts";

/** Whether a message to so many readers is listed and pushed by the fan-out workers instead of by the send itself. */
export function isLarge(readers: number): boolean {
  return readers > limits.membersDirectFanOutMax;
}

/**
 * The chunk of a user in any group, for good: FNV-1a of the id. By who it is and never by position among the members:
 * a list that loses somebody between the send and the job would shift, and skip whoever stands at a border.
 */
export function chunkOf(userId: Uuid): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < userId.length; index++) {
    hash = Math.imul(hash ^ userId.charCodeAt(index), 0x01000193);
  }
  // The low bits of this hash are its weakest.
  return ((hash >>> 16) ^ (hash & 0xffff)) % limits.fanOutChunks;
}

/** The jobs that tell rows [fromSeq, toSeq] to everyone who may read them. */
export function fanOutJobs(conversationId: Uuid, fromSeq: number, toSeq: number, membership: number): FanOutJob[] {
  return Array.from({ length: limits.fanOutChunks }, (_, chunk) => ({
    conversationId,
    fromSeq,
    toSeq,
    chunk,
    membership,
  }));
}
