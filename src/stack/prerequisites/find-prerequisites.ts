import path from "node:path";
import { runTool } from "../processes/run-tool.ts";
import { StackError } from "../stack-error.ts";
import { javaVersion, type StoreName, versions } from "../versions.ts";
import { missingMessage, type Missing } from "./missing-message.ts";
import { isAtLeast, parseJavaMajor, parseNginxVersion, parseRedisVersion } from "./tool-versions.ts";

/** Programs of this machine that the stack runs, with their versions. Those that are not needed are not looked for. */
export interface Prerequisites {
  /** Path or name of the program. */
  readonly java: string;
  readonly redisVersion: string;
  readonly nginxVersion: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

const answerWithinMs = 20_000;

/** Throws one error that names everything that is missing. `needsMaven`: some jars are not in the cache. */
export async function findPrerequisites(
  stores: readonly StoreName[],
  needsMaven: boolean,
  variables: Variables,
): Promise<Prerequisites> {
  const needsJava = stores.some((store) => store === "cassandra" || store === "kafka" || store === "s3");
  const ask = (command: string, flag: string) =>
    runTool(command, [flag], { environment: variables, timeoutMs: answerWithinMs });
  const java = javaCommand(variables);
  const [javaSaid, mavenSaid, redisSaid, nginxSaid] = await Promise.all([
    needsJava ? ask(java, "-version") : undefined,
    needsMaven ? ask("mvn", "--version") : undefined,
    stores.includes("redis") ? ask("redis-server", "--version") : undefined,
    stores.includes("nginx") ? ask("nginx", "-v") : undefined,
  ]);
  const redisVersion = parseRedisVersion(redisSaid?.said ?? "");
  const nginxVersion = parseNginxVersion(nginxSaid?.said ?? "");
  const missing: Missing[] = [];
  if (javaSaid !== undefined) {
    const major = javaSaid.code === 0 ? parseJavaMajor(javaSaid.said) : undefined;
    const from = variables["JAVA_HOME"] === undefined ? "" : `, by JAVA_HOME=${variables["JAVA_HOME"]}`;
    if (major !== javaVersion)
      missing.push({ what: "java", found: major === undefined ? `none${from}` : `${major}${from}` });
  }
  if (mavenSaid !== undefined && mavenSaid.code !== 0) missing.push({ what: "mvn", found: "none" });
  if (redisSaid !== undefined && !isAtLeast(redisVersion ?? "0", versions.redis.atLeast)) {
    missing.push({ what: "redis-server", found: redisVersion ?? "none" });
  }
  if (nginxSaid !== undefined && !isAtLeast(nginxVersion ?? "0", versions.nginx.atLeast)) {
    missing.push({ what: "nginx", found: nginxVersion ?? "none" });
  }
  if (missing.length > 0) {
    const { message, fix } = missingMessage(missing, stores);
    throw new StackError("configuration", message, fix);
  }
  return { java, redisVersion: redisVersion ?? "", nginxVersion: nginxVersion ?? "" };
}

/** JAVA_HOME decides where it is set, as it does for Maven. */
function javaCommand(variables: Variables): string {
  const home = variables["JAVA_HOME"];
  return home === undefined || home === "" ? "java" : path.join(home, "bin", "java");
}
