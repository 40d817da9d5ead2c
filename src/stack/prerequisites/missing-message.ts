import { javaVersion, type StoreName, versions } from "../versions.ts";

export interface Missing {
  readonly what: "java" | "mvn" | "redis-server" | "nginx";
  /** The version that is there, or `none`. */
  readonly found: string;
}

interface Source {
  readonly title: string;
  readonly debian: string;
  readonly homebrew: string;
  readonly wantedBy: readonly StoreName[];
}

const jarStores: readonly StoreName[] = ["cassandra", "kafka", "s3"];

const sources: Readonly<Record<Missing["what"], Source>> = {
  java: {
    title: `Java ${javaVersion}`,
    debian: `openjdk-${javaVersion}-jre-headless`,
    homebrew: `openjdk@${javaVersion}`,
    wantedBy: jarStores,
  },
  mvn: { title: "Maven (mvn)", debian: "maven", homebrew: "maven", wantedBy: jarStores },
  "redis-server": {
    title: `redis-server ${versions.redis.atLeast} or later`,
    debian: "redis-server",
    homebrew: "redis",
    wantedBy: ["redis"],
  },
  nginx: {
    title: `nginx ${versions.nginx.atLeast} or later`,
    debian: "nginx-light",
    homebrew: "nginx",
    wantedBy: ["nginx"],
  },
};

/** Everything that is missing in one message, with three ways to get it and one to do without. */
export function missingMessage(
  missing: readonly Missing[],
  stores: readonly StoreName[],
): { readonly message: string; readonly fix: string } {
  const wanted = missing.map(({ what }) => sources[what]);
  const words = missing.map(({ what, found }) => `${sources[what].title} (found: ${found})`);
  const without = stores.filter((store) => !wanted.some(({ wantedBy }) => wantedBy.includes(store)));
  const hasJava = missing.some(({ what }) => what === "java");
  const ways = [
    `Debian, Ubuntu: sudo apt-get install ${wanted.map(({ debian }) => debian).join(" ")}`,
    `Homebrew: brew install ${wanted.map(({ homebrew }) => homebrew).join(" ")}`,
    ...(hasJava ? [`Another Java is in use? JAVA_HOME=<folder of Java ${javaVersion}> msgr stack up`] : []),
    "Docker: docker compose up (everything in containers)",
    ...(without.length > 0 ? [`Do without: msgr stack up --only ${without.join(",")}`] : []),
  ];
  return { message: `Missing on this machine: ${words.join(", ")}.`, fix: `One of these.\n    ${ways.join("\n    ")}` };
}
