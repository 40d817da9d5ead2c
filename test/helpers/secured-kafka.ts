import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { probeKafka } from "../../src/stack/probes/probes.ts";
import { kafkaArguments } from "../../src/stack/recipes/kafka.ts";
import type { Certificates } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import { jarsOf, java, startJava } from "./java-process.ts";

/** A broker of the test's own that asks for TLS, a log-in, or both, each on a port of its own. Nothing of it survives. */
export interface SecuredKafka extends AsyncDisposable {
  /** `localhost:port`, by what the listener there speaks. */
  readonly brokers: Readonly<Record<Listener, string>>;
}

export const listeners = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] as const;
export type Listener = (typeof listeners)[number];

/** Whom it lets in, by SCRAM and by PLAIN. */
export const kafkaUser = { username: "msgr_worker", password: "right-kafka-password" };

/** Two cores that other tests have, too. */
const readyWithinMs = 150_000;

/** Resolves when it takes clients. The jars are those of the test run's stores. */
export async function startSecuredKafka(certificates: Certificates): Promise<SecuredKafka> {
  const folder = mkdtempSync(path.join(tmpdir(), "msgr-kafka-"));
  const ports = await Promise.all([...listeners, "CONTROLLER"].map(() => freePort()));
  const portOf = (index: number): number => ports[index] ?? 0;
  const properties = path.join(folder, "server.properties");
  writeFileSync(properties, propertiesOf(folder, ports, certificates));
  writeFileSync(
    path.join(folder, "log4j2.xml"),
    '<Configuration><Loggers><Root level="ERROR"/></Loggers></Configuration>',
  );
  const jars = jarsOf("kafka");
  const user = `SCRAM-SHA-512=[name=${kafkaUser.username},password=${kafkaUser.password}]`;
  const words = ["format", "--cluster-id", "bXNnci10ZXN0LWNsdXN0ZQ", "--config", properties, "--add-scram", user];
  execFileSync(java, kafkaArguments(folder, jars, "kafka.tools.StorageTool", words), { stdio: "pipe" });
  const started = await startJava({
    name: "Kafka",
    folder,
    words: kafkaArguments(folder, jars, "kafka.Kafka", [properties]),
    log: path.join(folder, "kafka.log"),
    isUp: () => probeKafka({ host: "127.0.0.1", port: portOf(0) }, 1_000),
    readyWithinMs,
  });
  const brokers = Object.fromEntries(listeners.map((name, index) => [name, `localhost:${portOf(index)}`]));
  return { ...started, brokers: brokers as Record<Listener, string> };
}

function propertiesOf(folder: string, ports: readonly number[], { bundle, authority }: Certificates): string {
  const all = [...listeners, "CONTROLLER"];
  const at = (host: string) => (name: string, index: number) => `${name}://${host}:${ports[index] ?? 0}`;
  const { username, password } = kafkaUser;
  const logIns = ["sasl_plaintext", "sasl_ssl"].flatMap((name) => [
    `listener.name.${name}.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN`,
    `listener.name.${name}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;`,
    `listener.name.${name}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`,
  ]);
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.voters=1@127.0.0.1:${ports.at(-1) ?? 0}`,
    `listeners=${all.map(at("127.0.0.1")).join(",")}`,
    `advertised.listeners=${listeners.map(at("localhost")).join(",")}`,
    `listener.security.protocol.map=${all.map((name) => `${name}:${name === "CONTROLLER" ? "PLAINTEXT" : name}`).join(",")}`,
    "inter.broker.listener.name=PLAINTEXT",
    "controller.listener.names=CONTROLLER",
    "ssl.keystore.type=PEM",
    `ssl.keystore.location=${bundle}`,
    "ssl.truststore.type=PEM",
    `ssl.truststore.location=${authority}`,
    ...logIns,
    `log.dirs=${path.join(folder, "data")}`,
    "auto.create.topics.enable=false",
    "offsets.topic.replication.factor=1",
    "offsets.topic.num.partitions=1",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "group.initial.rebalance.delay.ms=0",
    "",
  ].join("\n");
}
