import { limits } from "../../src/protocol/limits.ts";

import type { Plan } from "./plan.ts";

type PlannedLimits = Pick<Plan, "syncPagesMax" | "membersDirectFanOutMax">;

/**
 * Limits so small that a run of forty messages crosses each of them: pages, batches, far-behind devices, rounds of several
 * parts, queues, silence. They hold for the process that runs the simulation, and must be set before the first world is made.
 */
const small: Partial<Record<keyof typeof limits, number>> = {
  pageRowsMax: 8,
  syncBatchRowsMax: 5,
  syncInitialRows: 4,
  syncBehindRowsMax: 10,
  syncCursorsPerFrameMax: 2,
  draftsPerAppendMax: 3,
  draftsPerConversationMax: 12,
  dedupeRowsMax: 48,
  groupUpdateCoalesceMs: 50,
  groupStatusRows: 6,
  membersPerGroupMax: 4,
  fanOutChunks: 2,
  fanOutSpreadMs: 3_000,
  fanOutWaitMs: 6_000,
  fanOutStepMembers: 2,
  fanOutPushRows: 4,
  fanOutJobsPerCallMax: 3,
  heartbeatIntervalMs: 10_000,
  presenceTtlMs: 15_000,
  connectionTtlMs: 20_000,
  silenceTimeoutMs: 30_000,
};

export function useSmallLimits({ syncPagesMax, membersDirectFanOutMax }: PlannedLimits): void {
  Object.assign(limits, small, { syncPagesMax, membersDirectFanOutMax });
}
