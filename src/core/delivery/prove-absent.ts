import type { LogRow } from "../model.ts";
import type { LaneContext } from "./lane-context.ts";
import type { Lane } from "./lane.ts";
import type { PendingSend } from "./pending-send.ts";
import type { RecentRow } from "./recent-rows.ts";
import { scanDown } from "./scan-log.ts";

/** `torn`: the rows did not form one run up to the head, so they prove nothing; the lane has to learn the log anew. */
export type Proof = { readonly found: LogRow } | "absent" | "torn";

/**
 * Reads (provenTo, head] from the newest bucket down, looking for the id of the send. Rows never change, so what is
 * proven once stays proven, and what was read serves the sends behind this one too.
 */
export async function proveAbsent(context: LaneContext, lane: Lane, send: PendingSend): Promise<Proof> {
  const { head } = lane.end;
  const read: RecentRow[] = [];
  let found: LogRow | undefined;
  const whole = await scanDown(
    context.ports.log,
    lane.conversationId,
    send.provenTo + 1,
    head,
    lane.doubted ? "serial" : "latest",
    (row) => {
      if (row.messageId === send.draft.messageId) found = row;
      const { seq, messageId, senderId, sentAt, ucount, visibility } = row;
      read.push({ seq, messageId, senderId, sentAt, ucount, visibility, listed: false });
      return found !== undefined;
    },
  );
  if (found !== undefined) return { found };
  if (!whole) return "torn";
  lane.recent.extendDown(read.toReversed());
  send.provenTo = head;
  return "absent";
}
