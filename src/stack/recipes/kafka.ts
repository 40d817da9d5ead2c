import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { freshFolder } from "../files/fresh-folder.ts";
import { probeKafka } from "../probes/probes.ts";
import { runTool } from "../processes/run-tool.ts";
import { StackError } from "../stack-error.ts";
import { versions } from "../versions.ts";
import { baseEnvironment, loopback, portOf, type Recipe, type RecipeContext } from "./recipe.ts";

export interface KafkaConfigOptions {
  readonly port: number;
  readonly controllerPort: number;
  readonly data: string;
}

/** server.properties of one node that is broker and controller (KRaft). Topics are made by who needs them, never by a typo. */
export function kafkaConfig({ port, controllerPort, data }: KafkaConfigOptions): string {
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.voters=1@${loopback}:${controllerPort}`,
    `listeners=PLAINTEXT://${loopback}:${port},CONTROLLER://${loopback}:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://${loopback}:${port}`,
    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name=PLAINTEXT",
    "controller.listener.names=CONTROLLER",
    `log.dirs=${data}`,
    "auto.create.topics.enable=false",
    "offsets.topic.replication.factor=1",
    "offsets.topic.num.partitions=8",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "group.initial.rebalance.delay.ms=0",
    "log.retention.hours=24",
    "log.retention.bytes=268435456",
    "log.segment.bytes=67108864",
    "",
  ].join("\n");
}

const loggingConfig = `<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders><Console name="OUT"><PatternLayout pattern="%-5level %d %msg%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="OUT"/></Root></Loggers>
</Configuration>
`;

export function kafkaArguments(
  folder: string,
  jars: string,
  main: string,
  words: readonly string[],
): readonly string[] {
  return [
    "-Xms128M",
    "-Xmx256M",
    "-XX:+ExitOnOutOfMemoryError",
    `-Dlog4j2.configurationFile=${path.join(folder, "log4j2.xml")}`,
    "-cp",
    `${jars}/*`,
    main,
    ...words,
  ];
}

const formatWithinMs = 60_000;

/** `random`: 16 bytes. Kafka's own tool takes an id that begins with a dash for an option: one of 64 would. */
export function clusterIdOf(random: Uint8Array): string {
  const [first = 0, ...others] = random;
  return Buffer.from([first & 0x7f, ...others]).toString("base64url");
}

/** A log folder without a cluster id is refused by the broker. Done once: the id is part of the data. */
async function format(context: RecipeContext, folder: string, ports: Omit<KafkaConfigOptions, "data">): Promise<void> {
  const data = path.join(folder, "data");
  if (existsSync(data)) return;
  const fresh = freshFolder(folder);
  const file = path.join(folder, "format.properties");
  writeFileSync(file, kafkaConfig({ ...ports, data: fresh }));
  const clusterId = clusterIdOf(randomBytes(16));
  const words = ["format", "--cluster-id", clusterId, "--config", file];
  const jars = context.jars.get("kafka") ?? "";
  const result = await runTool(context.tools.java, kafkaArguments(folder, jars, "kafka.tools.StorageTool", words), {
    environment: baseEnvironment(context.variables),
    timeoutMs: formatWithinMs,
    workingDirectory: folder,
    signal: context.signal,
  });
  if (result.code === 0) {
    renameSync(fresh, data);
    return;
  }
  const last = result.said.trim().split("\n").at(-1) ?? "";
  const fix = "Look at the free space of the disk, or name another folder with --directory.";
  throw new StackError("failed", `Kafka's storage could not be prepared: ${last}`, fix);
}

export const kafkaRecipe: Recipe = {
  part: "kafka",
  stopSignal: "SIGTERM",
  probe: probeKafka,
  readyWithinMs: 150_000,
  ports: () => [
    { name: "kafka", preferred: 9092, hosts: [loopback] },
    { name: "kafka.controller", preferred: 9093, hosts: [loopback] },
  ],
  async prepare(context, onProgress) {
    const folder = path.join(context.directory, "kafka");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const [port, controllerPort] = [portOf(context, "kafka"), portOf(context, "kafka.controller")];
    const file = path.join(folder, "server.properties");
    writeFileSync(file, kafkaConfig({ port, controllerPort, data: path.join(folder, "data") }));
    writeFileSync(path.join(folder, "log4j2.xml"), loggingConfig);
    onProgress("preparing its storage");
    await format(context, folder, { port, controllerPort });
    return [
      {
        name: "kafka",
        version: versions.kafka.exactly,
        address: { host: loopback, port },
        launch: {
          command: context.tools.java,
          arguments: kafkaArguments(folder, context.jars.get("kafka") ?? "", "kafka.Kafka", [file]),
          environment: baseEnvironment(context.variables),
          workingDirectory: folder,
        },
      },
    ];
  },
  settings: (context) => ({
    "kafka.brokers": `${loopback}:${portOf(context, "kafka")}`,
    "kafka.replication_factor": 1,
  }),
};
