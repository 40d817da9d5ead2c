import type { createCassandraConversationLists } from "../../stores/cassandra/conversation-lists.ts";
import type { createCassandraMessageLog } from "../../stores/cassandra/message-log.ts";
import type { Uuid } from "../../protocol/ids.ts";

/** The adapters as the core sees them, without the core. */
export type MessageLog = ReturnType<typeof createCassandraMessageLog>;
export type ConversationLists = ReturnType<typeof createCassandraConversationLists>;
export type AppendRequest = Parameters<MessageLog["append"]>[0];
export type LogRow = AppendRequest["rows"][number];
export type LogHead = AppendRequest["expect"];
export type ListWrite = Parameters<ConversationLists["write"]>[0][number];

/**
 * What the workloads ask of Cassandra, the same through our adapter and through the driver alone: the same statements with
 * the same values.
 */
export interface CassandraOperations {
  /** What an append that rejected is: the adapter promises that nothing was written then. */
  readonly rejected: "refused" | "undecided";
  /** The rows and the head by one conditional batch, then the list rows. */
  append(request: AppendRequest): Promise<"appended" | "conflict" | "undecided">;
  raise(write: ListWrite): Promise<unknown>;
  /** Rows fromSeq…toSeq of one bucket, at most `rowsMax`, highest first. */
  page(conversationId: Uuid, bucket: number, fromSeq: number, toSeq: number, rowsMax: number): Promise<PageEnds>;
}

export interface PageEnds {
  readonly count: number;
  /** 0 without rows. */
  readonly highestSeq: number;
  readonly lowestSeq: number;
}

/** Through the adapters of the server. */
export function createAdapterOperations(log: MessageLog, lists: ConversationLists): CassandraOperations {
  return {
    rejected: "refused",
    append: async (request) => (await log.append(request)).outcome,
    raise: (write) => lists.write([write]),
    async page(conversationId, bucket, fromSeq, toSeq, rowsMax) {
      const { rows } = await log.readBucket(conversationId, bucket, fromSeq, toSeq, rowsMax, "latest");
      return { count: rows.length, highestSeq: rows[0]?.seq ?? 0, lowestSeq: rows.at(-1)?.seq ?? 0 };
    },
  };
}
