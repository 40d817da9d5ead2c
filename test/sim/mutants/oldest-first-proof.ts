import type { MessageLog } from "../../../src/core/ports/message-log.ts";
import { directConversationId, type Uuid } from "../../../src/protocol/ids.ts";
import type { MessageDraft } from "../../../src/core/api.ts";
import type { Mutant } from "./mutant.ts";

/**
 * The proof that a message is not in the log reads the buckets from the oldest on and takes the head from the last one:
 * what was appended to a bucket after it was read is overlooked.
 */
export const oldestFirstProof: Mutant = {
  name: "oldest-first-proof",
  core(core, { log }) {
    const lanes = new Map<string, Promise<unknown>>();
    return {
      ...core,
      delivery: {
        ...core.delivery,
        send(caller, gate, draft) {
          const { to } = draft;
          const conversationId = "user" in to ? directConversationId(caller.userId, to.user) : to.conversation;
          const key = `${caller.userId}.${caller.device} ${conversationId}`;
          const before = lanes.get(key) ?? Promise.resolve();
          const answer = before.then(async () => {
            // A proof that fails leaves it to the usual one, which knows about the order of what follows.
            const since = await proveUpwards(log, conversationId, draft).catch(() => draft.since);
            return core.delivery.send(caller, gate, { ...draft, since });
          });
          lanes.set(
            key,
            answer.catch(() => undefined),
          );
          return answer;
        },
      },
    };
  },
};

/** The head up to which the message is "not there"; where it was found, the usual proof may answer. */
async function proveUpwards(
  log: MessageLog,
  conversationId: Uuid,
  { since, messageId }: MessageDraft,
): Promise<number> {
  let head = since;
  for (let bucket = Math.floor(since / log.bucketRows); ; bucket++) {
    const last = (bucket + 1) * log.bucketRows;
    const page = await log.readBucket(conversationId, bucket, since + 1, last, log.bucketRows, "latest");
    if (page.head === undefined) return head;
    if (page.rows.some((row) => row.messageId === messageId)) return since;
    head = Math.max(head, page.head.head);
    if (page.head.head < last) return head;
  }
}
