import { mixBelow, seedFor } from "../data/mix.ts";
import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import type { Operation } from "../worker/operation.ts";
import { pickSlot, type WorkloadContext, type WorkloadRunner } from "./workload.ts";

/**
 * history.page: one HISTORY request from the newest row or from anywhere below it; ends with the page. The machine would
 * only ask for what it does not hold, so the frame is the workload's own. A page with a hole in it is a failure.
 */
export interface HistoryPageOptions {
  readonly limit: number;
  readonly depth: "newest" | "uniform";
}

interface Asked {
  readonly operation: Operation;
  readonly slot: number;
  readonly before: number;
}

/** No request of a machine begins with it. */
const requestLetter = "b";

export function createHistoryPage(context: WorkloadContext, { limit, depth }: HistoryPageOptions): WorkloadRunner {
  const { fleet, directory, targets } = context;
  const seed = seedFor(context.seed, "depths");
  const asked = new Map<string, Asked>();
  let requests = 0;
  return {
    begin(operation) {
      const { user, n } = operation;
      const slot = pickSlot(context, operation, (candidate) => fleet.isReady(candidate));
      const conversation = targets.conversationOf(user, n);
      if (slot < 0 || conversation < 0) return false;
      const conversationId = directory.conversationId(conversation);
      const head = fleet.machine(slot).conversation(conversationId)?.head ?? 0;
      if (head === 0) return false;
      const before = depth === "newest" ? head + 1 : 2 + mixBelow(seed, user, n, head);
      const request = `${requestLetter}${(requests++).toString(36)}`;
      asked.set(request, { operation, slot, before });
      const bound = depth === "newest" ? {} : { before_seq: before };
      fleet.transmit(slot, { type: "HISTORY", request, conversation_id: conversationId, limit, ...bound });
      return true;
    },
    takes(_slot, frame) {
      if (frame.type !== "HISTORY_PAGE" && frame.type !== "ERROR") return false;
      const { request } = frame;
      const answered = request === undefined ? undefined : asked.get(request);
      if (request === undefined || answered === undefined) return request?.startsWith(requestLetter) ?? false;
      asked.delete(request);
      if (frame.type === "ERROR") answered.operation.end(frame.code);
      else answered.operation.end(isWhole(frame, answered.before, limit) ? undefined : "page_with_hole");
      return true;
    },
    connection(slot, state) {
      if (state === "ready") return;
      for (const [request, waiting] of asked) {
        if (waiting.slot !== slot) continue;
        asked.delete(request);
        if (fleet.isAway(slot)) waiting.operation.withdraw();
        else waiting.operation.end("disconnected");
      }
    },
  };
}

/** The rows below `before` without a hole: as many as asked for, or all there are, or as many as a page may weigh. */
function isWhole(page: ServerFrameOf<"HISTORY_PAGE">, before: number, limit: number): boolean {
  const { messages, has_more: hasMore } = page;
  const [first, last] = [messages[0], messages.at(-1)];
  if (first === undefined || last === undefined || last.seq < before - 1) return false;
  if (messages.length < Math.min(limit, before - 1) && !hasMore) return false;
  return messages.every((row, index) => row.seq === first.seq + index);
}
