/** What `java -version` says: 17 for `17.0.15`, 8 for `1.8.0_392`, 21 for `21-ea`. Undefined = that was not Java. */
export function parseJavaMajor(said: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(said) ?? [];
  if (first === undefined) return undefined;
  return first === "1" && second !== undefined ? Number(second) : Number(first);
}

/** What `redis-server --version` says: `Redis server v=7.0.15 sha=…`. Valkey answers in the same form. */
export function parseRedisVersion(said: string): string | undefined {
  return /\bv=(\d+(?:\.\d+)+)/.exec(said)?.[1];
}

/** What `nginx -v` says: `nginx version: nginx/1.22.1`. */
export function parseNginxVersion(said: string): string | undefined {
  return /nginx\/(\d+(?:\.\d+)+)/.exec(said)?.[1];
}

/** Whether `version` is `least` or later, part by part. */
export function isAtLeast(version: string, least: string): boolean {
  const [have, want] = [version, least].map((text) => text.split(".").map(Number)) as [number[], number[]];
  for (const [at, part] of want.entries()) {
    const difference = (have[at] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
