import { expect, test } from "vitest";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import { createCassandraReceipts } from "./receipts.ts";
import type { CassandraSession, Statement } from "./session.ts";

const chat = "0192f0c1-0000-7000-8000-0000000000c0";
const [reader, peer] = ["0192f0c1-0000-7000-8000-000000000001", "0192f0c1-0000-7000-8000-000000000002"] as const;

const tables = ["conversations_by_user", "receipts"];

test.each(tables)(
  "the own watermark is written when the receipt and the peer's row are durable; first: %s",
  async (first) => {
    const under: { readonly table: string; readonly answered: Deferred<void> }[] = [];
    const write = ([statement]: readonly Statement[]): Promise<void> => {
      const answered = createDeferred<void>();
      under.push({ table: /UPDATE (\w+)/.exec(statement?.query ?? "")?.[1] ?? "", answered });
      return answered.promise;
    };
    const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
    const receipts = createCassandraReceipts({ write } as unknown as CassandraSession);
    const row = { conversationId: chat, kind: "direct" } as const;
    const done = receipts.writeWithLists?.(
      [{ conversationId: chat, userId: reader, recv: { seq: 3, at: 1 } }],
      [
        { ...row, userId: peer, peerId: reader, peerRecvSeq: 3 },
        { ...row, userId: reader, recvSeq: 3 },
      ],
    );
    await turn();
    expect(under.map(({ table }) => table).toSorted()).toEqual(tables);
    under.find(({ table }) => table === first)?.answered.resolve();
    await turn();
    expect(under).toHaveLength(2);
    under.find(({ table }) => table !== first)?.answered.resolve();
    await turn();
    expect(under.slice(2).map(({ table }) => table)).toEqual(["conversations_by_user"]);
    under[2]?.answered.resolve();
    await done;
  },
);
