import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { openClusterStores } from "../../../src/server/context-cluster.ts";
import { LogLines } from "../../helpers/kafka.ts";
import { dropCassandra, dropPostgres, prepareCassandra, preparePostgres } from "../../helpers/migrated-stores.ts";
import { describeOn, realStoreConfig } from "../../helpers/real-stores.ts";

/** Port 1 is nobody's. */
const config = realStoreConfig({ "kafka.brokers": "127.0.0.1:1" });

describeOn(["cassandra", "postgres", "redis", "s3"], "a server without its Kafka", () => {
  beforeAll(async () => {
    await prepareCassandra(config);
    await preparePostgres(config);
  }, 120_000);
  afterAll(async () => {
    await dropCassandra(config);
    await dropPostgres(config);
  }, 60_000);

  test("is ready for everything but large groups, and says so in the log", async () => {
    const log = new LogLines();
    const stores = await openClusterStores(config, { clock: systemClock, log: log.logger, nodeId: "n1" });
    expect(stores.lost()).toEqual([]);
    await expect(stores.fanOut.ready()).rejects.toMatchObject({ code: "store_unavailable", temporary: true });
    const consumption = await stores.fanOut.consume(async () => undefined);
    expect(log.lines).toContainEqual(expect.stringMatching(/^warn: Kafka is lost/));
    await consumption.stop();
    await stores.close();
  });
});
