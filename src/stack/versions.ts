/**
 * Which versions the stack runs: here and in docker-compose.yml (a test holds the two together). `exactly` is what is
 * fetched or comes with an npm package; `atLeast` is asked of what the machine has.
 */
export const versions = {
  cassandra: { exactly: "5.0.6", image: "cassandra:5.0.6" },
  postgres: { exactly: "18.4", image: "postgres:18.4" },
  redis: { atLeast: "7.0", image: "redis:7.2" },
  kafka: { exactly: "4.1.1", image: "apache/kafka:4.1.1" },
  s3: { exactly: "2.9.0", image: "andrewgaul/s3proxy:2.9.0" },
  nginx: { atLeast: "1.20", image: "nginx:1.28" },
} as const;

/** Cassandra 5.0 runs on 11 and 17, Kafka 4 on 17 and later: one for both. */
export const javaVersion = 17;

/** Kafka's jars carry no writer for their log. */
export const log4jVersion = "2.24.3";

/** Fixed, so that the same jars are chosen on every machine whatever its Maven is. */
export const dependencyPluginVersion = "3.8.1";

export type StoreName = keyof typeof versions;

export const storeNames = Object.keys(versions) as readonly StoreName[];

/** What the stack is made of: the stores, and the servers of msgr on them. */
export type PartName = StoreName | "server";

export const partNames: readonly PartName[] = [...storeNames, "server"];

/** `cassandra-2` is a process of the part `cassandra`. */
export function partOf(processName: string): PartName | undefined {
  const name = processName.replace(/-\d+$/, "");
  return partNames.find((part) => part === name);
}
