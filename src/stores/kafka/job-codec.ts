import type { FanOutJob } from "../../core/ports/fan-out-queue.ts";
import { isUuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";

/** Jobs of one key are in one partition, and so in order. */
export function jobKey({ conversationId, chunk }: FanOutJob): Buffer {
  return Buffer.from(`${conversationId}:${chunk}`);
}

/** Ids only: `{"conversation": …, "from_seq": 7, "to_seq": 7, "chunk": 3, "membership_version": 12}`. */
export function encodeJob(job: FanOutJob): Buffer {
  return Buffer.from(
    JSON.stringify({
      conversation: job.conversationId,
      from_seq: job.fromSeq,
      to_seq: job.toSeq,
      chunk: job.chunk,
      membership_version: job.membership,
    }),
  );
}

/** undefined = not a job of this server. Fields that it does not know are left alone: a newer server may add some. */
export function decodeJob(value: Buffer | null): FanOutJob | undefined {
  if (value === null) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(value.toString());
  } catch {
    return undefined;
  }
  if (typeof fields !== "object" || fields === null) return undefined;
  const { conversation, from_seq, to_seq, chunk, membership_version } = fields as Record<string, unknown>;
  if (typeof conversation !== "string" || !isUuid(conversation)) return undefined;
  if (!isCount(from_seq) || !isCount(to_seq) || !isCount(chunk) || !isCount(membership_version)) return undefined;
  if (from_seq < 1 || to_seq < from_seq || chunk >= limits.fanOutChunks) return undefined;
  return { conversationId: conversation, fromSeq: from_seq, toSeq: to_seq, chunk, membership: membership_version };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
