import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Config } from "../../src/server/config/config-schema.ts";
import { connectPostgresAdmin } from "../../src/stores/postgres/connect-admin.ts";
import { variablesOf } from "../helpers/cluster-servers.ts";
import { prepareCassandra, preparePostgres } from "../helpers/migrated-stores.ts";
import { messageTo, RawClient, type Frame } from "../helpers/raw-client.ts";
import { describeOn, realStoreConfig } from "../helpers/real-stores.ts";
import { runCli, startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";
import { mountSmallDisks, noSmallDisks, type SmallDisks } from "../helpers/small-disk.ts";
import { ownStack, type OwnStack } from "../helpers/stack-command.ts";
import { startTalk } from "../helpers/talk.ts";

/** What a disk without room does to a cluster whose Cassandra and PostgreSQL have small disks of their own. */
const cannot = noSmallDisks();
if (cannot !== undefined) process.stdout.write(`      left out: stores with a full disk: ${cannot}\n`);

const mebibyte = 1024 * 1024;
const startWithinMs = 240_000;

// Needs a file system of its own to fill, which not every container lets its users mount.
describe.skipIf(cannot !== undefined)("under msgr serve --profile cluster", () => {
  describeOn(["cassandra", "postgres", "redis", "s3"], "a store whose disk is full", () => {
    const folder = temporaryFolder();
    const directory = path.join(folder.path, "stack");
    const disks = { postgres: path.join(directory, "postgres"), cassandra: path.join(directory, "cassandra") };
    let small: SmallDisks;
    let stack: OwnStack;
    let config: Config;
    let server: ServerProcess;
    let users: readonly TestUser[];

    beforeAll(async () => {
      small = await mountSmallDisks({ [disks.postgres]: 160 * mebibyte, [disks.cassandra]: 400 * mebibyte });
      stack = ownStack(directory, ["postgres", "cassandra"], { enter: small.enter });
      await stack.up();
      config = realStoreConfig(stack.file().settings);
      await Promise.all([prepareCassandra(config), preparePostgres(config)]);
      const variables = variablesOf(config);
      server = await startServer(path.join(folder.path, "data"), { flags: ["--profile", "cluster"], variables });
      users = await server.createUsers(8);
    }, startWithinMs);

    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
      await stack?.[Symbol.asyncDispose]();
      await small?.[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    }, startWithinMs);

    /** What `msgr doctor` finds wrong with a store. */
    async function diagnosis(store: string): Promise<{ readonly message: string; readonly fix: string }> {
      const { code, stdout } = await runCli(["doctor", "--profile", "cluster", "--json"], { env: variablesOf(config) });
      type Finding = { check: string; state: string; message: string; fix: string };
      const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
      const found = findings.find(({ check, state }) => check === store && state === "fail");
      expect([code, found]).toEqual([5, expect.anything()]);
      return found as Finding;
    }

    /** Users are rows of PostgreSQL. Asked until it is answered as expected; a busy machine is given time. */
    async function statusOfNewUsers(
      expected: number,
    ): Promise<{ readonly code?: string; readonly temporary?: boolean }> {
      const answers: string[] = [];
      for (let attempt = 0; attempt < 200; attempt++) {
        const body = { users: [{ handle: `late${process.pid}x${made++}`, devices: 1 }] };
        const response = await server.admin("POST", "/admin/users", body);
        const answer = (await response.json()) as { readonly code?: string; readonly temporary?: boolean };
        if (response.status === expected) return answer;
        answers.push(`${response.status} ${answer.code}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`never ${expected}: ${[...new Set(answers)].join(", ")}`);
    }
    let made = 0;

    /** Until PostgreSQL has to take new pages, its log has a segment of 16 MiB to go on with, or none. */
    async function beginLogSegment({ used }: { readonly used: boolean }): Promise<void> {
      const { url, password } = config.postgres;
      const admin = await connectPostgresAdmin({ url, password, applicationName: "test", timeoutMs: 5_000 });
      if (!used) await admin.query("SELECT pg_logical_emit_message(true, 'test', 'something to switch from')");
      await admin.query("SELECT pg_switch_wal()");
      if (used) await admin.query("SELECT pg_logical_emit_message(true, 'test', 'begins the next one')");
      await admin.close();
    }

    test("PostgreSQL refuses what needs room as storage_full, messages go on, doctor names it, and it goes on with room", async () => {
      await using talk = await startTalk([server.url], users[0] as TestUser, users[1] as TestUser);
      await beginLogSegment({ used: true });
      {
        using full = small.fill(disks.postgres);
        expect(full.bytes).toBeGreaterThan(mebibyte);
        expect(await statusOfNewUsers(507)).toMatchObject({ code: "storage_full", temporary: true });
        const { message, fix } = await diagnosis("postgres");
        expect([message, fix]).toEqual([expect.stringContaining("is full"), expect.stringContaining("Make room")]);
        await talk.progress(20);
      }
      await statusOfNewUsers(200);
      await talk.settle();
      expect(talk.faults()).toEqual([]);
    }, 90_000);

    test("PostgreSQL that ends since its log has no room is a lost store until it is started again", async () => {
      await using talk = await startTalk([server.url], users[2] as TestUser, users[3] as TestUser);
      await beginLogSegment({ used: false });
      {
        using full = small.fill(disks.postgres);
        expect(full.bytes).toBeGreaterThan(mebibyte);
        expect(await statusOfNewUsers(503)).toMatchObject({ code: "store_unavailable", temporary: true });
        expect(await diagnosis("postgres")).toMatchObject({
          message: expect.stringContaining("does not answer") as string,
          fix: expect.stringContaining("room on its disk") as string,
        });
        const ready = await server.admin("GET", "/readyz");
        expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining("postgres")]);
        expect(await stack.run(["up", "--any-port", "--only", "postgres"], 4)).toContain("make room, then run");
      }
      await stack.up();
      await statusOfNewUsers(200);
      await talk.progress(20);
      await talk.settle();
      expect(talk.faults()).toEqual([]);
    }, 90_000);

    test(
      "Cassandra that ends of it is store_unavailable; what was acked is there, and sending goes on, when it is back",
      async () => {
        const [alice, bob] = users.slice(6) as [TestUser, TestUser];
        await using talk = await startTalk([server.url], users[4] as TestUser, users[5] as TestUser);
        await talk.progress(20);
        await using sender = await RawClient.greet(server.wsUrl, alice);
        const acked: Frame[] = [await sender.ask(messageTo(bob.userId, "before", 0))];
        let refused: Frame | undefined;
        {
          using full = small.fill(disks.cassandra);
          expect(full.bytes).toBeGreaterThan(mebibyte);
          for (let count = 0; refused === undefined && count < 1_000; count++) {
            const answer = await sender.ask(messageTo(bob.userId, "x".repeat(40_000), acked.length));
            if (answer.type === "ACK") acked.push(answer);
            else refused = answer;
          }
          expect(refused).toMatchObject({ type: "ERROR", code: "store_unavailable", temporary: true });
          const { message, fix } = await diagnosis("cassandra");
          expect([message, fix]).toEqual([
            expect.stringContaining(config.cassandra.contact_points),
            expect.stringContaining("room on its disk"),
          ]);
          // The server says the same, and which store it is.
          expect(server.stderr()).toContain(`Cassandra on ${config.cassandra.contact_points}`);
          expect(server.stderr()).toContain("room on its disk");
        }
        await stack.up();
        await talk.progress(20);
        await talk.settle();
        expect(talk.faults()).toEqual([]);
        const conversation_id = acked[0]?.conversation_id;
        const page = await sender.ask({ type: "HISTORY", conversation_id });
        const kept = new Set(page.messages.map(({ message_id }) => message_id));
        const last = acked.slice(-page.messages.length);
        expect(last.filter(({ message_id }) => !kept.has(message_id)).length).toBe(0);
      },
      startWithinMs + 60_000,
    );
  });
});
