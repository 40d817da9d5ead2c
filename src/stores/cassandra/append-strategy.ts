import type { AppendOutcome, AppendRequest } from "../../core/ports/message-log.ts";

/** The part of an append that decides: rows, head and membership. List rows and receipts follow once it is done. */
export type LogAppend = Pick<AppendRequest, "conversationId" | "bucket" | "expect" | "opens" | "rows" | "membership">;

/**
 * How one writer at a time is kept: the only place that knows. `paxos` asks the nodes to agree on every append; a lease on
 * a range of conversations with plain writes fenced by its epoch would cost less than half and fit behind the same two lines.
 */
export interface AppendStrategy {
  readonly name: string;
  /** As MessageLog.append promises, without list rows and receipts. The request was checked. */
  append(request: LogAppend): Promise<AppendOutcome>;
}
