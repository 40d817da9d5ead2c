import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { speaksTls } from "../../src/base/speaks-tls.ts";
import { jarsIn } from "../../src/stack/jars/jar-folder.ts";
import { probeCassandra } from "../../src/stack/probes/probes.ts";
import { cassandraArguments } from "../../src/stack/recipes/cassandra.ts";
import { cassandraConfig, rackProperties } from "../../src/stack/recipes/cassandra-config.ts";
import { logbackConfig } from "../../src/stack/recipes/logback-config.ts";
import { freePort } from "./free-port.ts";
import { jarsOf, startJava } from "./java-process.ts";

/** A node of the test's own that is configured in a way that `msgr stack` does not offer. Nothing of it survives. */
export interface CassandraProcess extends AsyncDisposable {
  /** host:port */
  readonly contactPoints: string;
}

/** Two cores that other tests have, too. */
const readyWithinMs = 240_000;

/** `more`: further settings of cassandra.yaml. Resolves when it takes clients. The jars are those of the test run's stores. */
export async function startCassandra(more: Readonly<Record<string, unknown>>): Promise<CassandraProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), "msgr-cassandra-"));
  const [host, nativePort, storagePort] = ["127.0.0.1", await freePort(), await freePort()];
  const data = path.join(folder, "data");
  mkdirSync(data);
  const config = cassandraConfig({ host, nativePort, storagePort, seed: host, data });
  const settings = { ...(JSON.parse(config) as Record<string, unknown>), ...more };
  const log = path.join(folder, "cassandra.log");
  writeFileSync(path.join(folder, "cassandra.yaml"), JSON.stringify(settings));
  writeFileSync(path.join(folder, "cassandra-rackdc.properties"), rackProperties);
  writeFileSync(path.join(folder, "logback.xml"), logbackConfig(log, "INFO"));
  const jars = jarsOf("cassandra");
  const agent = path.join(jars, jarsIn(jars).find((jar) => jar.startsWith("jamm-")) ?? "");
  const started = await startJava({
    name: "Cassandra",
    folder,
    words: cassandraArguments({ folder, jars, agent, heapMegabytes: 512, joins: false }),
    log,
    isUp: () =>
      "client_encryption_options" in more
        ? speaksTls(host, nativePort, 1_000)
        : probeCassandra({ host, port: nativePort }, 1_000),
    readyWithinMs,
  });
  return { ...started, contactPoints: `${host}:${nativePort}` };
}
