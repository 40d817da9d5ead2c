// How much of the bare driver's speed the PostgreSQL adapters keep: `node scripts/measure-postgres.ts [operations]` with
// MSGR_TEST_STACK naming the folder of a stack. Three databases are made and dropped. Each operation runs once on the first,
// where its statements are noted; then twenty blocks alternate between the adapter on the second and, on the third, the bare
// driver sending exactly those statements from a pool of the same size. Medians of the blocks.
import pg from "pg";
import { createSystemRandom } from "../src/base/random.ts";
import { createUuidV7, type Uuid } from "../src/protocol/ids.ts";
import { connectPostgres } from "../src/stores/postgres/connect.ts";
import { createPostgresConversationSettings } from "../src/stores/postgres/conversation-settings.ts";
import { createPostgresGroups } from "../src/stores/postgres/groups.ts";
import type { Postgres } from "../src/stores/postgres/postgres.ts";
import { createPostgresSessions } from "../src/stores/postgres/sessions.ts";
import type { Statement } from "../src/stores/postgres/statement.ts";
import { createPostgresUsers } from "../src/stores/postgres/users.ts";
import { createTestDatabase } from "../test/helpers/postgres-database.ts";

const operationCount = Number(process.argv[2] ?? 20_000);
const blockCount = 20;
const atOnce = 32;

interface Sent extends Partial<Statement> {
  readonly text: string;
  readonly values: unknown[];
}

type Operation = (postgres: Postgres, index: number) => Promise<unknown>;

const random = createSystemRandom();
const newId = (): Uuid => createUuidV7(Date.now(), random);
const newHash = (): Uint8Array => random.fill(new Uint8Array(32));
const indices = Array.from({ length: operationCount }, (_, index) => index);
const users = Array.from({ length: 1_000 }, newId);
const userAt = (index: number): Uuid => users[index % users.length] as Uuid;
const hashes = users.map(newHash);
const groupIds = indices.map(newId);
const nextHashes = indices.map(() => ({ refreshHash: newHash(), accessHash: newHash() }));

/** The same rows in each database. */
async function fill(postgres: Postgres): Promise<void> {
  const rows = users.map((userId, index) => ({ userId, handle: `user${index}`, displayName: "User", createdAt: 1 }));
  await createPostgresUsers(postgres).create(rows);
  const sessions = createPostgresSessions(postgres);
  for (const [index, userId] of users.entries()) {
    const hash = hashes[index] as Uint8Array;
    const tokens = { refreshHash: hash, accessHash: hash, accessExpiresAt: 2, refreshExpiresAt: 2 };
    const session = { familyId: userId, userId, version: 1, ...tokens };
    await sessions.open({ userId, device: undefined, deviceName: "", at: 1, session });
  }
}

const operations: Readonly<Record<string, Operation>> = {
  "session by access token (read)": (postgres, index) =>
    createPostgresSessions(postgres).byAccess(hashes[index % hashes.length] as Uint8Array),
  "profile with settings (read)": (postgres, index) => createPostgresUsers(postgres).byId(userAt(index)),
  "conversation settings (write)": (postgres, index) =>
    createPostgresConversationSettings(postgres).write(userAt(index), {
      conversationId: userAt(index * 7),
      mutedUntil: index,
      pinned: false,
      archived: false,
    }),
  "refresh rotation (write)": (postgres, index) => {
    const used = index < hashes.length ? hashes[index] : nextHashes[index - hashes.length]?.refreshHash;
    const next = { ...(nextHashes[index] as (typeof nextHashes)[0]), accessExpiresAt: 2, refreshExpiresAt: 2 };
    return createPostgresSessions(postgres).rotate(used as Uint8Array, next, 1);
  },
  "group of eight made (transaction)": (postgres, index) =>
    createPostgresGroups(postgres).commit({
      groupId: groupIds[index] as Uuid,
      messageId: groupIds[index] as Uuid,
      since: 0,
      actorId: userAt(index),
      actorDevice: 1,
      kind: "create",
      name: "Group",
      userIds: [1, 2, 3, 4, 5, 6, 7].map((other) => userAt(index + other)),
      at: 1,
      expectedVersion: 0,
    }),
};

/** Runs one operation and answers what it sent. */
async function record(postgres: Postgres, operation: Operation, index: number): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  const noting =
    (query: Postgres["query"]): Postgres["query"] =>
    (statement, values) => {
      sent.push({ ...statement, values: [...values] });
      return query(statement, values);
    };
  await operation(
    {
      query: noting((statement, values) => postgres.query(statement, values)),
      async transaction(work) {
        sent.push({ text: "BEGIN", values: [] });
        const result = await postgres.transaction((transaction) =>
          work({
            abandon: () => transaction.abandon(),
            query: noting((statement, values) => transaction.query(statement, values)),
          }),
        );
        sent.push({ text: "COMMIT", values: [] });
        return result;
      },
      load: () => 0,
      lost: () => false,
      close: async () => undefined,
    },
    index,
  );
  return sent;
}

async function replay(pool: pg.Pool, sent: readonly Sent[]): Promise<void> {
  const client = await pool.connect();
  for (const statement of sent) await client.query(statement);
  client.release();
}

interface Taken {
  readonly seconds: number;
  /** Of this process, which is the client only. */
  readonly cpuSeconds: number;
}

/** Runs all of them, `atOnce` at a time. */
async function timed(block: readonly number[], run: (index: number) => Promise<unknown>): Promise<Taken> {
  const waiting = block.values();
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const index of waiting) await run(index);
    }),
  );
  const { user, system } = process.cpuUsage(cpuBefore);
  return { seconds: (performance.now() - started) / 1e3, cpuSeconds: (user + system) / 1e6 };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

await using noted = await createTestDatabase();
await using ours = await createTestDatabase();
await using bare = await createTestDatabase();
const recording = await connectPostgres(noted.options);
const adapter = await connectPostgres(ours.options);
const bareFill = await connectPostgres(bare.options);
for (const postgres of [recording, adapter, bareFill]) await fill(postgres);
await bareFill.close();
const address = new URL(bare.options.url);
address.password = bare.options.password ?? "";
const pool = new pg.Pool({ connectionString: address.href, max: bare.options.connectionsMax });

for (const [name, operation] of Object.entries(operations)) {
  const sent: (readonly Sent[])[] = [];
  await timed(indices, async (index) => (sent[index] = await record(recording, operation, index)));
  const taken: Record<"adapter" | "bare", Taken[]> = { adapter: [], bare: [] };
  const size = Math.ceil(operationCount / blockCount);
  for (let start = 0; start < operationCount; start += size) {
    const block = indices.slice(start, start + size);
    const runs = [
      async () => taken.adapter.push(await timed(block, (index) => operation(adapter, index))),
      async () => taken.bare.push(await timed(block, (index) => replay(pool, sent[index] as readonly Sent[]))),
    ];
    // Which goes first alternates, since whatever else the machine does comes in waves.
    for (const run of (start / size) % 2 === 0 ? runs : runs.toReversed()) await run();
  }
  const rateOf = (blocks: readonly Taken[]) => size / median(blocks.map(({ seconds }) => seconds));
  const cpuOf = (blocks: readonly Taken[]) => (median(blocks.map(({ cpuSeconds }) => cpuSeconds)) / size) * 1e6;
  const [rates, cpu] = [
    [taken.adapter, taken.bare].map(rateOf) as [number, number],
    [taken.adapter, taken.bare].map(cpuOf) as [number, number],
  ];
  process.stdout.write(
    `${name}: adapter ${rates[0].toFixed(0)}/s, bare ${rates[1].toFixed(0)}/s, ratio ${(rates[0] / rates[1]).toFixed(2)}; ` +
      `own CPU ${cpu[0].toFixed(0)} and ${cpu[1].toFixed(0)} µs each\n`,
  );
}
await recording.close();
await adapter.close();
await pool.end();
