import type { SendGate, SyncProgress } from "../../core/api.ts";
import type { SyncCursor } from "../../protocol/frames/client-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";

/** The cursors of a synchronisation, from its first SYNC frame to the SYNC_DONE without `next`. */
export interface SyncRound {
  /** Request of the frames that bring the cursors. */
  readonly request: string;
  readonly cursors: Map<Uuid, SyncCursor>;
  readonly progress: SyncProgress;
  /** The token that continues it; undefined while cursors still come. */
  next: string | undefined;
}

/**
 * What routes keep of one connection between its frames. An idle connection has none of it; everything in it is bounded
 * by limits.ts.
 */
export class ConnectionMemory {
  /** Made by the first send. */
  gate: SendGate | undefined = undefined;
  syncRound: SyncRound | undefined = undefined;
  /** A synchronisation is being answered. */
  syncRuns = false;
  watched: Set<Uuid> | undefined = undefined;
  /** Rate limits that are asked elsewhere answer later; frames wait here for their turn, in order. */
  admissions: Promise<void> | undefined = undefined;
  /** GCRA times (ms, monotonic) of frames, and of frames that were wrong or over a limit. */
  framesFullAtMs = 0;
  strikesFullAtMs = 0;
}

/** The memory of a connection, made when it has none. */
export function memoryOf(connection: { memory: ConnectionMemory | undefined }): ConnectionMemory {
  return (connection.memory ??= new ConnectionMemory());
}
