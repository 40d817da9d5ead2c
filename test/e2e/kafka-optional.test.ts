import { expect, test } from "vitest";
import { limits } from "../../src/protocol/limits.ts";
import { api, refused } from "../helpers/api.ts";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { messageTo, newMessageId, RawClient } from "../helpers/raw-client.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { runCli, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

const testWithinMs = 180_000;

async function expectService(server: ServerProcess, users: readonly TestUser[]): Promise<void> {
  const [alice, bob] = users as [TestUser, TestUser];
  await using sender = await RawClient.greet(server.wsUrl, alice);
  expect(await sender.ask(messageTo(bob.userId, "hello", 0))).toMatchObject({ type: "ACK" });
  expect((await createGroup(server, users.slice(0, 3))).status).toBe(201);
  expect((await fetch(`${server.adminUrl}/readyz`)).status).toBe(200);
}

function createGroup(server: ServerProcess, [owner, ...others]: readonly TestUser[]) {
  const user_ids = others.map(({ userId }) => userId);
  const body = { group_id: newMessageId(), message_id: newMessageId(), name: "some", user_ids };
  return api(server, "POST /api/groups", { token: owner?.token, body });
}

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly fix?: string;
}

describeOn(["cassandra", "postgres", "redis", "s3", "kafka"], "a server whose Kafka is not there for it", () => {
  const stores = ownClusterServers();

  async function kafkaFindings(more: Record<string, string>): Promise<readonly Finding[]> {
    const env = { ...stores.variables, ...more };
    const { stdout } = await runCli(["config", "check", "--online", "--json", "--set", "profile=cluster"], { env });
    const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
    return findings.filter(({ check }) => check === "kafka");
  }

  test(
    "because none is named, serves groups that need none, and says where they stop",
    { timeout: testWithinMs },
    async () => {
      const server = await stores.start({ set: { "kafka.brokers": "" } });
      const users = await server.createUsers(limits.membersDirectFanOutMax + 1);
      await expectService(server, users);
      const answer = await createGroup(server, users);
      expect(answer).toEqual(refused("too_many_members"));
      expect(answer.body.detail).toContain(`${limits.membersDirectFanOutMax} members`);
      expect(server.stderr()).toBe("");
      const fix = expect.stringContaining("kafka.brokers") as string;
      expect(await kafkaFindings({ MSGR_KAFKA__BROKERS: "" })).toMatchObject([{ state: "warn", fix }]);
    },
  );

  test(
    "because it is another's and has too few brokers, serves the rest and says what mends it",
    { timeout: testWithinMs },
    async () => {
      const server = await stores.start({ set: { "kafka.replication_factor": 3 } });
      const users = await server.createUsers(limits.membersDirectFanOutMax + 1);
      await expectService(server, users);
      expect(await createGroup(server, users)).toEqual(refused("store_unavailable"));
      expect(server.stderr()).toContain("Kafka cannot be used");
      expect(server.stderr()).toContain("kafka.replication_factor");
      const fix = expect.stringContaining("kafka.replication_factor") as string;
      expect(await kafkaFindings({ MSGR_KAFKA__REPLICATION_FACTOR: "3" })).toMatchObject([{ state: "fail", fix }]);
    },
  );
});
