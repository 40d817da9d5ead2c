import type { LogRow } from "../../../src/core/model.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import type { Mutant } from "./mutant.ts";

/**
 * The proof that a message is not in the log reads from the oldest bucket on, so that its rows are older than the head
 * that it ends with, and it does not count them: what was appended in between is overlooked.
 */
export const rowsBeforeHead: Mutant = {
  name: "rows-before-head",
  sendingPorts(ports, { log }) {
    const read = new Map<Uuid, readonly LogRow[]>();
    return {
      ...ports,
      log: {
        bucketRows: ports.log.bucketRows,
        newestBucket(conversationId, hintSeq, consistency) {
          read.set(conversationId, log.rowsOf(conversationId));
          return ports.log.newestBucket(conversationId, hintSeq, consistency);
        },
        async readBucket(...request) {
          const page = await ports.log.readBucket(...request);
          const known = read.get(request[0])?.length ?? 0;
          const rows = page.rows.map((row) => (row.seq > known ? { ...row, messageId: "not read" } : row));
          return { ...page, rows };
        },
        append: (request) => ports.log.append(request),
        writeLists: (writes) => ports.log.writeLists(writes),
      },
    };
  },
};
