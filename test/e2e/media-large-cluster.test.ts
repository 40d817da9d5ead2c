import { expect, test } from "vitest";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { growthBytesMax, passLargeMedia } from "../helpers/large-media.ts";
import { describeOn } from "../helpers/real-stores.ts";
import type { TestUser } from "../helpers/server-process.ts";

describeOn(["cassandra", "postgres", "redis", "s3"], "the cluster profile, with media in S3", () => {
  const servers = ownClusterServers();

  test("100 MiB go up, are looked at and come down while the server grows by less than 64 MiB", async () => {
    const server = await servers.start();
    const [alice] = (await server.createUsers(1)) as [TestUser];
    const { reference, sha256, growthBytes } = await passLargeMedia(server, alice);
    expect(sha256).toBe(reference.sha256);
    expect(Math.max(...growthBytes)).toBeLessThan(growthBytesMax);
    expect(server.stderr()).toBe("");
  }, 120_000);
});
