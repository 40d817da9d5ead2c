import type { SyncPage } from "../../core/api.ts";
import type { SyncFrame } from "../../protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Connection } from "../connection/connection.ts";
import { memoryOf, type ConnectionMemory, type SyncRound } from "../connection/connection-memory.ts";
import { historyPageFields } from "./pages.ts";
import { pageWeight, type Route, type RouteServices } from "./route.ts";

/**
 * A round: SYNC frames with `more: true` bring cursors, the one without starts the answer; SYNC_DONE with `next` ends a
 * part of it, and a SYNC with that page token asks for the next part with the same cursors. The round is forgotten with
 * the SYNC_DONE without `next`, or when a new one starts. One part is answered at a time; each page waits until the
 * client has read the one before.
 */
export const syncRoute: Route<"SYNC"> = {
  rule: "read",
  weight: pageWeight,
  run(services, connection, frame) {
    const memory = memoryOf(connection);
    if (memory.syncRuns) throw new WireError("overloaded", { detail: "the previous SYNC is still being answered" });
    const round = frame.page === undefined ? collect(memory, frame) : resume(memory, frame.page);
    if (frame.more === true) return undefined;
    const page = round.next;
    round.next = undefined;
    memory.syncRuns = true;
    return answer(services, connection, memory, round, frame.request, page)
      .catch((error: unknown) => {
        // Nothing is forgotten: the same page may be asked for again.
        round.next = page;
        throw error;
      })
      .finally(() => {
        memory.syncRuns = false;
      });
  },
};

function collect(memory: ConnectionMemory, frame: SyncFrame): SyncRound {
  let round = memory.syncRound;
  if (round === undefined || round.next !== undefined || round.request !== frame.request) {
    const progress = { turned: new Set<Uuid>(), filled: new Set<Uuid>() };
    round = memory.syncRound = { request: frame.request, cursors: new Map(), progress, next: undefined };
  }
  for (const cursor of frame.cursors) round.cursors.set(cursor.conversation_id, cursor);
  if (round.cursors.size > limits.syncCursorsMax) {
    memory.syncRound = undefined;
    throw new WireError("too_large", { detail: `more than ${limits.syncCursorsMax} cursors` });
  }
  return round;
}

function resume(memory: ConnectionMemory, page: string): SyncRound {
  const round = memory.syncRound;
  if (round?.next !== page) throw new WireError("bad_request", { detail: "page: not the one last told; start again" });
  return round;
}

async function answer(
  { core }: RouteServices,
  connection: Connection,
  memory: ConnectionMemory,
  round: SyncRound,
  request: string,
  page: string | undefined,
): Promise<ServerFrame> {
  const send = (found: SyncPage): Promise<void> => connection.sendPage(syncMessages(request, found));
  const { next } = await core.reading.sync(connection.caller, round.cursors, page, send, round.progress);
  if (next === undefined) {
    if (memory.syncRound === round) memory.syncRound = undefined;
    return { type: "SYNC_DONE", request };
  }
  round.next = next;
  return { type: "SYNC_DONE", request, next };
}

function syncMessages(request: string, page: SyncPage): ServerFrame {
  return {
    type: "SYNC_MESSAGES",
    request,
    ...historyPageFields(page.conversationId, page),
    kind: page.kind,
    ...(page.peerId === undefined ? {} : { peer_id: page.peerId }),
    ...(page.name === undefined ? {} : { name: page.name }),
    registers: page.registers,
  };
}
