import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { speaksTls } from "../../src/base/speaks-tls.ts";
import { jarFolder } from "../../src/stack/jars/fetch-jars.ts";
import { jarsIn } from "../../src/stack/jars/jar-folder.ts";
import { probeCassandra } from "../../src/stack/probes/probes.ts";
import { cassandraArguments } from "../../src/stack/recipes/cassandra.ts";
import { cassandraConfig, rackProperties } from "../../src/stack/recipes/cassandra-config.ts";
import { logbackConfig } from "../../src/stack/recipes/logback-config.ts";
import { freePort } from "./free-port.ts";

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
  const jars = jarFolder(
    path.join(process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"), "msgr"),
    "cassandra",
  );
  const agent = path.join(jars, jarsIn(jars).find((jar) => jar.startsWith("jamm-")) ?? "");
  const java = process.env["JAVA_HOME"] === undefined ? "java" : path.join(process.env["JAVA_HOME"], "bin", "java");
  const words = cassandraArguments({ folder, jars, agent, heapMegabytes: 512, joins: false });
  const output = openSync(log, "a");
  const child = spawn(java, words, { cwd: folder, stdio: ["ignore", output, output] });
  closeSync(output);
  const ended = once(child, "close");
  const dispose = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const untilMs = performance.now() + readyWithinMs;
  const isUp = (): Promise<boolean> =>
    "client_encryption_options" in more
      ? speaksTls(host, nativePort, 1_000)
      : probeCassandra({ host, port: nativePort }, 1_000);
  while (!(await isUp())) {
    if (child.exitCode === null && performance.now() < untilMs) {
      await sleep(200);
      continue;
    }
    const said = readFileSync(log, "utf8").split("\n").slice(-30).join("\n");
    await dispose();
    throw new Error(`Cassandra did not start:\n${said}`);
  }
  return { contactPoints: `${host}:${nativePort}`, [Symbol.asyncDispose]: dispose };
}
