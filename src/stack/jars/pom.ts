import { createHash } from "node:crypto";
import { log4jVersion, versions } from "../versions.ts";

export type JarStore = "cassandra" | "kafka" | "s3";

interface Dependency {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
}

const dependencies: Readonly<Record<JarStore, readonly Dependency[]>> = {
  cassandra: [{ group: "org.apache.cassandra", artifact: "cassandra-all", version: versions.cassandra.exactly }],
  kafka: [
    { group: "org.apache.kafka", artifact: "kafka_2.13", version: versions.kafka.exactly },
    { group: "org.apache.logging.log4j", artifact: "log4j-slf4j-impl", version: log4jVersion },
    { group: "org.apache.logging.log4j", artifact: "log4j-core", version: log4jVersion },
  ],
  s3: [{ group: "org.gaul", artifact: "s3proxy", version: versions.s3.exactly }],
};

/** A project that is nothing but what it depends on. Every version is exact, so that it means the same jars for ever. */
export function pomOf(store: JarStore): string {
  const entries = dependencies[store].map(
    ({ group, artifact, version }) =>
      `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0">',
    "  <modelVersion>4.0.0</modelVersion>",
    `  <groupId>msgr</groupId><artifactId>stack-${store}</artifactId><version>1</version>`,
    "  <dependencies>",
    ...entries,
    "  </dependencies>",
    "</project>",
    "",
  ].join("\n");
}

/** Name of the folder that holds a store's jars: another version or another pom means another folder. */
export function jarFolderName(store: JarStore): string {
  const checksum = createHash("sha256").update(pomOf(store)).digest("hex").slice(0, 12);
  return `${store}-${versions[store].exactly}-${checksum}`;
}
