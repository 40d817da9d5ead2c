import { AssertionError } from "../../base/assert.ts";
import type { LedgerRecorder } from "../ledger/recorder.ts";
import type { Workload } from "../scenario/schema.ts";
import { createHistoryPage } from "./history-page.ts";
import { createMediaRoundtrip } from "./media-roundtrip.ts";
import { createMessageSend } from "./message-send.ts";
import { createPresenceHeartbeat } from "./presence-heartbeat.ts";
import { createReceipts } from "./receipts.ts";
import { createSession } from "./session.ts";
import type { WorkloadContext, WorkloadRunner } from "./workload.ts";

/** The code behind each row of scenario/operations.ts. */
export function createWorkload(workload: Workload, context: WorkloadContext, recorder: LedgerRecorder): WorkloadRunner {
  switch (workload.do) {
    case "message.send":
    case "group.send":
      return createMessageSend(context, workload.options.size);
    case "receipts":
      return createReceipts(context, recorder);
    case "presence.heartbeat":
      return createPresenceHeartbeat(context);
    case "session.connect":
      return createSession(context, { awayMs: workload.options.away, until: "welcome" });
    case "session.sync":
      return createSession(context, { awayMs: workload.options.away, until: "synced" });
    case "history.page":
      return createHistoryPage(context, workload.options);
    case "media.roundtrip":
      return createMediaRoundtrip(context, workload.options.size, recorder);
    case "presence.lookup":
    case "store.append":
    case "store.plain":
    case "store.register":
    case "store.page":
    case "store.message":
    case "store.redis-set":
      throw new AssertionError(`${workload.do} is for the stores: scenario/checks.ts refuses it`);
  }
}
