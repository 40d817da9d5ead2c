import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { StoreError } from "../../../src/base/store-error.ts";
import { WireError } from "../../../src/protocol/wire-errors.ts";
import { connectCassandra, type CassandraOptions } from "../../../src/stores/cassandra/connect.ts";
import { connectCassandraAdmin, type CassandraAdmin } from "../../../src/stores/cassandra/connect-admin.ts";
import { createCassandraReceipts } from "../../../src/stores/cassandra/receipts.ts";
import { newId } from "../../contract/durable-harness.ts";
import { cassandraOptions, ownKeyspace } from "../../helpers/cassandra-keyspace.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import { startTcpProxy } from "../../../src/bench/faults/tcp-proxy.ts";

describeOn(["cassandra"], "a session to Cassandra", () => {
  const config = ownKeyspace();

  async function refusal(over: Partial<CassandraOptions>): Promise<StoreError> {
    try {
      await (await connectCassandra(cassandraOptions(config, over))).close();
    } catch (error) {
      if (error instanceof StoreError) return error;
      throw error;
    }
    throw new Error("connected");
  }

  async function withAdmin<T>(keyspace: string, work: (admin: CassandraAdmin) => Promise<T>): Promise<T> {
    const admin = await connectCassandraAdmin({
      ...cassandraOptions(config, { keyspace, timeoutMs: 10_000 }),
      statementTimeoutMs: 20_000,
    });
    try {
      return await work(admin);
    } finally {
      await admin.close();
    }
  }

  test("to a node that is not there is refused with the cause and what mends it", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const contactPoints = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, "close");
    const error = await refusal({ contactPoints });
    expect(error).toMatchObject({ store: "cassandra", kind: "unreachable" });
    expect(error.message).toContain(contactPoints);
    expect(error.fix).toContain("cassandra.contact_points");
  });

  test("to a node that accepts and says nothing is refused in the time that was set", async () => {
    await using proxy = await startTcpProxy(config.cassandra.contact_points);
    proxy.hold("toClient");
    const began = performance.now();
    expect(await refusal({ contactPoints: proxy.address, timeoutMs: 300 })).toMatchObject({ kind: "unreachable" });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test("to a data centre or a keyspace that does not exist is refused by its name", async () => {
    expect((await refusal({ datacenter: "nowhere" })).message).toContain("nowhere");
    const error = await refusal({ keyspace: `${config.cassandra.keyspace}x` });
    expect(error).toMatchObject({ kind: "missing_database" });
    expect(error.fix).toContain("msgr migrate up");
  });

  test(
    "to a keyspace that lacks a table or a column is refused with what is missing",
    { timeout: 60_000 },
    async () => {
      const foreign = `${config.cassandra.keyspace}_f`;
      await withAdmin(config.cassandra.keyspace, (admin) =>
        admin.execute(
          `CREATE KEYSPACE ${foreign} WITH replication = {'class': 'NetworkTopologyStrategy', '${config.cassandra.datacenter}': 1}`,
        ),
      );
      try {
        expect((await refusal({ keyspace: foreign })).message).toContain("no table messages");
        await withAdmin(foreign, (admin) =>
          admin.execute("CREATE TABLE messages (conversation_id uuid PRIMARY KEY, bucket text)"),
        );
        const error = await refusal({ keyspace: foreign });
        expect(error).toMatchObject({ kind: "missing_database" });
        expect(error.message).toContain("messages.bucket of type text instead of int");
      } finally {
        await withAdmin(foreign, (admin) => admin.execute(`DROP KEYSPACE ${foreign}`));
      }
    },
  );

  test("comes back by itself after its connections were cut, also several times", async () => {
    await using proxy = await startTcpProxy(config.cassandra.contact_points);
    const session = await connectCassandra(cassandraOptions(config, { contactPoints: proxy.address }));
    try {
      const receipts = createCassandraReceipts(session);
      const [conversationId, userId] = [newId(), newId()];
      const write = (seq: number): Promise<void> =>
        receipts.write([{ conversationId, userId, recv: { seq, at: 1_700_000_000_000 } }]);
      await write(1);
      for (let seq = 2; seq <= 4; seq++) {
        const before = proxy.accepted;
        proxy.cut();
        // Right after a cut the driver may lose a connection that it just made: any answer but the right one is tried again.
        await expect.poll(() => settled(write(seq)), { timeout: 15_000 }).toBe("done");
        const read = (): Promise<unknown> => receipts.one(conversationId, userId).catch(() => undefined);
        await expect.poll(read, { timeout: 15_000 }).toMatchObject({ recvSeq: seq });
        expect(proxy.accepted).toBeGreaterThan(before);
      }
    } finally {
      await session.close();
    }
  });

  test("knows that no node is connected, and when one is again", async () => {
    await using proxy = await startTcpProxy(config.cassandra.contact_points);
    const session = await connectCassandra(cassandraOptions(config, { contactPoints: proxy.address }));
    try {
      await createCassandraReceipts(session).all(newId());
      expect(session.lost()).toBe(false);
      proxy.refuse(true);
      proxy.cut();
      await expect.poll(() => session.lost(), { timeout: 15_000 }).toBe(true);
      proxy.refuse(false);
      await expect.poll(() => session.lost(), { timeout: 30_000 }).toBe(false);
    } finally {
      await session.close();
    }
  });

  test("fails in the time that was set when nothing comes back, and goes on when it does", async () => {
    await using proxy = await startTcpProxy(config.cassandra.contact_points);
    const session = await connectCassandra(
      cassandraOptions(config, { contactPoints: proxy.address, timeoutMs: 1_000 }),
    );
    try {
      const receipts = createCassandraReceipts(session);
      await receipts.all(newId());
      proxy.hold("toClient");
      await expect(receipts.all(newId())).rejects.toMatchObject({ code: "store_unavailable" });
      proxy.release();
      await expect.poll(() => settled(receipts.all(newId())), { timeout: 15_000 }).toBe("done");
    } finally {
      await session.close();
    }
  });

  test("has no more statements under way than it may, no more waiting, and refuses the rest", async () => {
    await using proxy = await startTcpProxy(config.cassandra.contact_points);
    const limited = cassandraOptions(config, { contactPoints: proxy.address, inFlightMax: 4 });
    const session = await connectCassandra({ ...limited, waitingMax: 3 });
    try {
      const receipts = createCassandraReceipts(session);
      await receipts.one(newId(), newId());
      proxy.hold("toClient");
      const reads = Array.from({ length: 10 }, () => settled(receipts.one(newId(), newId())));
      expect(session.load()).toEqual({ inFlight: 4, waiting: 3 });
      expect(await Promise.all(reads.slice(7))).toEqual(["overloaded", "overloaded", "overloaded"]);
      proxy.release();
      expect(await Promise.all(reads.slice(0, 7))).toEqual(Array.from({ length: 7 }, () => "done"));
      expect(session.load()).toEqual({ inFlight: 0, waiting: 0 });
    } finally {
      await session.close();
    }
  });

  test("may be closed twice, and answers nothing afterwards", async () => {
    const session = await connectCassandra(cassandraOptions(config));
    await session.close();
    await session.close();
    expect(await settled(createCassandraReceipts(session).all(newId()))).toBe("store_unavailable");
  });
});

/** How it ended: `done`, or the code of the error. */
async function settled(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (error: unknown) => (error instanceof WireError ? error.code : String(error)),
  );
}
