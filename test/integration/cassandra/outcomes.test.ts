import { expect, test } from "vitest";
import { emptyHead, type LogRow } from "../../../src/core/model.ts";
import type { MessageLog } from "../../../src/core/ports/message-log.ts";
import { connectCassandra } from "../../../src/stores/cassandra/connect.ts";
import { createCassandraConversationLists } from "../../../src/stores/cassandra/conversation-lists.ts";
import { createCassandraMessageLog } from "../../../src/stores/cassandra/message-log.ts";
import type { CassandraSession } from "../../../src/stores/cassandra/session.ts";
import { newId } from "../../contract/durable-harness.ts";
import { appendAt, decided, headAfter, listWrite, readLog, rowAt } from "../../contract/log-fixture.ts";
import { cassandraOptions, ownKeyspace } from "../../helpers/cassandra-keyspace.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import { startTcpProxy, type TcpProxy } from "../../../src/bench/faults/tcp-proxy.ts";

/** Long enough for a busy machine to answer, short enough to be waited for. */
const timeoutMs = 3_000;

/** More than anything else that is under way on the connection, so that whenHeld sees the append itself. */
const envelope = Buffer.alloc(20_000, 7);
const appendBytes = 20_000;

interface Stage extends AsyncDisposable {
  readonly proxy: TcpProxy;
  readonly session: CassandraSession;
  /** Through the proxy; every statement was prepared. */
  readonly log: MessageLog;
  /** Past it. */
  readonly witness: MessageLog;
}

describeOn(["cassandra"], "the outcome of an append on a bad network", () => {
  const config = ownKeyspace();

  async function setUp(): Promise<Stage> {
    const proxy = await startTcpProxy(config.cassandra.contact_points);
    const session = await connectCassandra(cassandraOptions(config, { contactPoints: proxy.address, timeoutMs }));
    const direct = await connectCassandra(cassandraOptions(config));
    const log = createCassandraMessageLog(session);
    const warm = newId();
    const first = rowAt(1);
    decided(await log.append(appendAt(log, warm, emptyHead, [first], { lists: [listWrite(newId(), warm, first)] })));
    decided(await log.append(appendAt(log, warm, headAfter(first), [rowAt(2)])));
    return {
      proxy,
      session,
      log,
      witness: createCassandraMessageLog(direct),
      async [Symbol.asyncDispose]() {
        await Promise.all([session.close(), direct.close()]);
        await proxy[Symbol.asyncDispose]();
      },
    };
  }

  const seqs = (rows: readonly LogRow[]): readonly number[] => rows.map(({ seq }) => seq);

  test("is undecided when the answer does not come, and a serial read finds the rows", async () => {
    await using stage = await setUp();
    const conversation = newId();
    stage.proxy.hold("toClient");
    const outcome = await stage.log.append(appendAt(stage.log, conversation, emptyHead, [rowAt(1)]));
    expect(outcome).toEqual({ outcome: "undecided" });
    stage.proxy.release();
    expect(seqs(await readLog(stage.log, conversation))).toEqual([1]);
  });

  test("is undecided when the request is late, and the rows appear after the answer was given", async () => {
    await using stage = await setUp();
    const conversation = newId();
    stage.proxy.hold("toServer");
    const append = stage.log.append(appendAt(stage.log, conversation, emptyHead, [rowAt(1, { envelope })]));
    await stage.proxy.whenHeld("toServer", appendBytes);
    expect(await append).toEqual({ outcome: "undecided" });
    expect(await readLog(stage.witness, conversation)).toEqual([]);
    stage.proxy.release();
    await expect.poll(async () => seqs(await readLog(stage.witness, conversation)), { timeout: 10_000 }).toEqual([1]);
  });

  test("is undecided at once when the connection is lost after the request left, whether or not it arrived", async () => {
    for (const direction of ["toServer", "toClient"] as const) {
      await using stage = await setUp();
      const conversation = newId();
      stage.proxy.hold(direction);
      const append = stage.log.append(appendAt(stage.log, conversation, emptyHead, [rowAt(1, { envelope })]));
      await stage.proxy.whenHeld(direction, direction === "toServer" ? appendBytes : 1);
      const cutAt = performance.now();
      stage.proxy.cut();
      expect(await append).toEqual({ outcome: "undecided" });
      expect(performance.now() - cutAt).toBeLessThan(timeoutMs);
      stage.proxy.release();
      expect(seqs(await readLog(stage.witness, conversation))).toEqual(direction === "toServer" ? [] : [1]);
    }
  });

  test("is a temporary error, not undecided, while there is no connection: nothing was sent", async () => {
    await using stage = await setUp();
    stage.proxy.refuse(true);
    stage.proxy.cut();
    await expect.poll(() => canRead(stage.log), { timeout: 10_000 }).toBe(false);
    const conversation = newId();
    const append = stage.log.append(appendAt(stage.log, conversation, emptyHead, [rowAt(1)]));
    await expect(append).rejects.toMatchObject({ code: "store_unavailable", temporary: true, undecided: false });
    expect(await readLog(stage.witness, conversation)).toEqual([]);
  });

  test("is undecided when its list rows may be missing, and writing those again completes it", async () => {
    await using stage = await setUp();
    const [conversation, ann, bob] = [newId(), newId(), newId()];
    const row = rowAt(1, { senderId: ann });
    const own = { ...listWrite(ann, conversation, row), ownSeq: 1, read: { seq: 1, ucount: 1 } };
    const lists = [own, listWrite(bob, conversation, row)];
    const request = appendAt(stage.log, conversation, emptyHead, [row], { lists });
    stage.proxy.hold("toClient");
    const append = stage.log.append(request);
    await expect.poll(async () => seqs(await readLog(stage.witness, conversation)), { timeout: 10_000 }).toEqual([1]);
    // The answer to the append passes; what the session sends after it does not.
    releaseAnswers(stage.proxy);
    expect(await append).toEqual({ outcome: "undecided" });
    stage.proxy.cut();
    stage.proxy.release();
    const listed = await connectCassandra(cassandraOptions(config));
    try {
      const store = createCassandraConversationLists(listed);
      expect(await store.one(ann, conversation)).toBeUndefined();
      expect(await store.one(bob, conversation)).toBeUndefined();
      await stage.witness.writeLists(lists);
      expect(await store.one(ann, conversation)).toMatchObject({ lastSeq: 1, ownSeq: 1, readSeq: 1 });
      expect(await store.one(bob, conversation)).toMatchObject({ lastSeq: 1 });
    } finally {
      await listed.close();
    }
  });
});

/** What is held on its way back goes on, while requests stay held. */
function releaseAnswers(proxy: TcpProxy): void {
  proxy.release();
  proxy.hold("toServer");
}

async function canRead(log: MessageLog): Promise<boolean> {
  return log.newestBucket(newId(), 0, "latest").then(
    () => true,
    () => false,
  );
}
