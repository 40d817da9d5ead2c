import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { jarsIn } from "../jars/jar-folder.ts";
import { probeCassandra } from "../probes/probes.ts";
import { StackError } from "../stack-error.ts";
import { versions } from "../versions.ts";
import { cassandraConfig, rackProperties } from "./cassandra-config.ts";
import { logbackConfig } from "./logback-config.ts";
import { baseEnvironment, loopback, type PlannedProcess, portOf, type Recipe, type RecipeContext } from "./recipe.ts";

/** Packages that Cassandra 5.0 reaches into on Java 17 (conf/jvm17-server.options of its distribution). */
const exportedPackages = [
  "java.base/jdk.internal.misc",
  "java.base/jdk.internal.ref",
  "java.base/sun.nio.ch",
  "java.base/java.lang.ref",
  "java.management.rmi/com.sun.jmx.remote.internal.rmi",
  "java.rmi/sun.rmi.registry",
  "java.rmi/sun.rmi.server",
  "java.sql/java.sql",
  "jdk.unsupported/sun.misc",
];
const openedPackages = [
  "java.base/java.lang.module",
  "java.base/jdk.internal.loader",
  "java.base/jdk.internal.ref",
  "java.base/jdk.internal.reflect",
  "java.base/jdk.internal.math",
  "java.base/jdk.internal.module",
  "java.base/jdk.internal.util.jar",
  "java.base/sun.nio.ch",
  "java.base/java.io",
  "java.base/java.lang",
  "java.base/java.lang.reflect",
  "java.base/java.util",
  "java.base/java.util.concurrent",
  "java.base/java.util.concurrent.atomic",
  "java.base/java.nio",
  "java.base/java.net",
  "jdk.management/com.sun.management.internal",
];

/**
 * What its distribution gives the JVM (conf/jvm-server.options, jvm17-server.options) and the JVM does not choose by itself.
 * PerfDisableSharedMem matters most: without it a collection of garbage may wait for the disk that the commit log writes to.
 */
const jvmOptions = [
  "-Xss256k",
  "-XX:+AlwaysPreTouch",
  "-XX:+PerfDisableSharedMem",
  "-XX:+ParallelRefProcEnabled",
  "-XX:MaxTenuringThreshold=2",
  "-Djava.net.preferIPv4Stack=true",
  "-Dio.netty.tryReflectionSetAccessible=true",
];

export interface CassandraLaunch {
  readonly folder: string;
  readonly jars: string;
  /** Path of the jamm jar: Cassandra asks it how large objects are. */
  readonly agent: string;
  readonly heapMegabytes: number;
  /** It has another node to find first. */
  readonly joins: boolean;
}

export function cassandraArguments({ folder, jars, agent, heapMegabytes, joins }: CassandraLaunch): readonly string[] {
  return [
    `-Xms${heapMegabytes}M`,
    `-Xmx${heapMegabytes}M`,
    `-XX:MaxDirectMemorySize=${heapMegabytes}M`,
    "-XX:+CrashOnOutOfMemoryError",
    ...jvmOptions,
    "-Djdk.attach.allowAttachSelf=true",
    `-javaagent:${agent}`,
    ...exportedPackages.flatMap((name) => ["--add-exports", `${name}=ALL-UNNAMED`]),
    ...openedPackages.flatMap((name) => ["--add-opens", `${name}=ALL-UNNAMED`]),
    `-Dcassandra.config=${pathToFileURL(path.join(folder, "cassandra.yaml")).href}`,
    `-Dcassandra-rackdc.properties=${pathToFileURL(path.join(folder, "cassandra-rackdc.properties")).href}`,
    `-Dcassandra.storagedir=${path.join(folder, "data")}`,
    "-Dcassandra-foreground=yes",
    "-Dcassandra.skip_wait_for_gossip_to_settle=0",
    // A joining node gives up ("Unable to contact any seeds") when it does not listen for long enough.
    `-Dcassandra.ring_delay_ms=${joins ? 5_000 : 1}`,
    "-Dcassandra.superuser_setup_delay_ms=0",
    // A change of the schema that was not pushed to a node, since another one took it for away, is asked for at once, not after a minute.
    "-Dcassandra.migration_delay_ms=1000",
    "-Dcassandra.schema_pull_interval_ms=2000",
    `-Dlogback.configurationFile=${path.join(folder, "logback.xml")}`,
    "-cp",
    `${folder}:${jars}/*`,
    "org.apache.cassandra.service.CassandraDaemon",
  ];
}

const nodeHosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"] as const;

function nodeName(index: number): string {
  return index === 0 ? "cassandra" : `cassandra-${index + 1}`;
}

function hostsOf(nodes: number): readonly string[] {
  return nodeHosts.slice(0, nodes);
}

export const cassandraRecipe: Recipe = {
  part: "cassandra",
  stopSignal: "SIGTERM",
  probe: probeCassandra,
  readyWithinMs: 180_000,
  ports: (nodes) => [
    { name: "cassandra", preferred: 9042, hosts: hostsOf(nodes) },
    { name: "cassandra.storage", preferred: 7000, hosts: hostsOf(nodes) },
  ],
  prepare(context) {
    refuseOtherSize(context);
    return Promise.resolve(hostsOf(context.cassandraNodes).map((host, index) => planNode(context, host, index)));
  },
  settings: (context) => ({
    "cassandra.contact_points": hostsOf(context.cassandraNodes)
      .map((host) => `${host}:${portOf(context, "cassandra")}`)
      .join(","),
    "cassandra.datacenter": "dc1",
    "cassandra.replication_factor": context.cassandraNodes,
  }),
};

/** How many nodes the data in a folder was made for; undefined = there is none yet. */
export function knownNodes(directory: string): number | undefined {
  const known = nodeHosts.filter((_, index) => existsSync(path.join(directory, nodeName(index), "data"))).length;
  return known === 0 ? undefined : known;
}

/** A node more or fewer moves the ranges of the others, and data that was kept once would be looked for elsewhere. */
function refuseOtherSize({ directory, cassandraNodes }: RecipeContext): void {
  const known = knownNodes(directory);
  if (known === undefined || known === cassandraNodes) return;
  const fix = `Run \`msgr stack up --cassandra-nodes ${known}\`, delete the data with \`msgr stack reset --confirm ${path.basename(directory)}\`, or name another folder with --directory.`;
  const message = `${directory} holds a Cassandra cluster of ${known}, not of ${cassandraNodes}.`;
  throw new StackError("configuration", message, fix);
}

function planNode(context: RecipeContext, host: string, index: number): PlannedProcess {
  const name = nodeName(index);
  const folder = path.join(context.directory, name);
  const jars = context.jars.get("cassandra") ?? "";
  const agent = jarsIn(jars).find((jar) => jar.startsWith("jamm-"));
  if (agent === undefined) throw new Error(`No jamm jar in ${jars}.`);
  mkdirSync(path.join(folder, "data"), { recursive: true, mode: 0o700 });
  const [nativePort, storagePort] = [portOf(context, "cassandra"), portOf(context, "cassandra.storage")];
  const isOnly = context.cassandraNodes === 1;
  writeFileSync(
    path.join(folder, "cassandra.yaml"),
    cassandraConfig({ host, nativePort, storagePort, seed: nodeHosts[0], data: path.join(folder, "data") }),
  );
  writeFileSync(path.join(folder, "cassandra-rackdc.properties"), rackProperties);
  writeFileSync(
    path.join(folder, "logback.xml"),
    logbackConfig(path.join(context.directory, "logs", `${name}.log`), "INFO"),
  );
  return {
    name,
    version: versions.cassandra.exactly,
    address: { host, port: nativePort },
    launch: {
      command: context.tools.java,
      arguments: cassandraArguments({
        folder,
        jars,
        agent: path.join(jars, agent),
        heapMegabytes: isOnly ? 1024 : 512,
        joins: host !== loopback,
      }),
      environment: baseEnvironment(context.variables),
      workingDirectory: folder,
    },
  };
}
