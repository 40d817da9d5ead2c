import { StoreError } from "../../base/store-error.ts";

/** What `INFO` says of a server, as far as we care. */
export interface RedisFacts {
  readonly version: string;
  readonly role: string;
  /** 0 = unbounded. */
  readonly memoryBytesMax: number;
  readonly evictionPolicy: string;
}

const versionMajorMin = 7;

/** Reads the answer of `INFO` (sections server, replication, memory). What is missing reads as "" or 0. */
export function parseInfo(info: string): RedisFacts {
  const fields = new Map<string, string>();
  for (const line of info.split(/\r?\n/)) {
    const at = line.indexOf(":");
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1));
  }
  return {
    version: fields.get("redis_version") ?? "",
    role: fields.get("role") ?? "",
    memoryBytesMax: Number(fields.get("maxmemory") ?? 0),
    evictionPolicy: fields.get("maxmemory_policy") ?? "",
  };
}

/** Undefined = it will do. Sharded publish and subscribe, which carries everything between processes, is of Redis 7. */
export function versionObjection(version: string, address: string): StoreError | undefined {
  const major = Number.parseInt(version, 10);
  if (major >= versionMajorMin) return undefined;
  return new StoreError(
    "redis",
    "wrong_version",
    `Redis at ${address} is of version ${version === "" ? "unknown" : version}; ${versionMajorMin} or newer is needed.`,
    "Install Redis 7 or newer, or point redis.url at one (`msgr stack up --only redis` starts one).",
  );
}

/** Everything that is wrong with a server for our use; empty = nothing. Of several the gravest first. */
export function factsObjections(facts: RedisFacts, address: string): readonly StoreError[] {
  const found: StoreError[] = [];
  const version = versionObjection(facts.version, address);
  if (version !== undefined) found.push(version);
  if (facts.role !== "master") {
    found.push(
      new StoreError(
        "redis",
        "read_only",
        `Redis at ${address} is a replica (role ${facts.role === "" ? "unknown" : facts.role}): it takes no writes.`,
        "Point redis.url at the primary.",
      ),
    );
  }
  if (facts.memoryBytesMax > 0 && facts.evictionPolicy !== "noeviction") {
    found.push(
      new StoreError(
        "redis",
        "other",
        `Redis at ${address} throws keys away when full (maxmemory-policy ${facts.evictionPolicy}): connections would be forgotten and pushes lost.`,
        "Run `redis-cli config set maxmemory-policy noeviction` and write it into redis.conf.",
      ),
    );
  }
  return found;
}
