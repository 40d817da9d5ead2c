import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "../../base/logger.ts";
import { createSystemRandom, type Random } from "../../base/random.ts";
import type { StoreError } from "../../base/store-error.ts";
import { answered } from "./errors.ts";
import { explainRedis } from "./explain-silence.ts";
import { factsObjections, parseInfo, versionObjection } from "./inspect.ts";
import { RedisKeys } from "./keys.ts";
import { parseRedisAddress, type RedisAddress } from "./redis-address.ts";
import { retryDelayMs } from "./retry-delay.ts";
import type { Script } from "./scripts.ts";

export interface RedisSettings {
  readonly url: string;
  readonly password?: string | undefined;
  /** Put before every key and channel. */
  readonly keyPrefix: string;
  /** A command without an answer is given up after this, and so is the connection it was sent on. */
  readonly timeoutMs: number;
}

/**
 * The way to one Redis: a connection for commands and one that only listens.
 *
 *   connecting ──▶ ready ──cut, or silent for timeoutMs──▶ lost ──▶ ready …     close() ends it from anywhere
 *
 * While it is lost every command is refused at once: nothing waits, so nothing piles up. Commands that were under way when
 * it was lost are refused too, and may have been done. Reconnecting never ends.
 */
export interface RedisClient {
  readonly address: RedisAddress;
  readonly keys: RedisKeys;
  readonly timeoutMs: number;
  readonly random: Random;
  /** For commands. Its errors are ioredis': pass results through `answered`. */
  readonly commands: Redis;
  /** For subscriptions; subscribes to nothing by itself after a reconnect. */
  readonly subscriber: Redis;
  /** Redis cannot be asked now. */
  lost(): boolean;
  /** Runs a script; it is sent once and then called by its hash. Errors: WireError. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  close(): void;
}

/** One socket may come back without the other: both are needed, and told apart in the log. */
function optionsOf(address: RedisAddress, settings: RedisSettings, name: string, random: Random) {
  return {
    host: address.host,
    port: address.port,
    db: address.database,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: {} } : {}),
    connectionName: name,
    lazyConnect: true,
    connectTimeout: settings.timeoutMs,
    commandTimeout: settings.timeoutMs,
    // Without an answer for this long the connection is given up: a stopped Redis keeps its sockets open.
    socketTimeout: settings.timeoutMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt: number) => retryDelayMs(attempt, random),
    // Maps as flat lists, whichever protocol the server speaks.
    replyMapping: "legacy",
  } as const satisfies RedisOptions;
}

/**
 * Connects, and checks that the server is one that will do. Rejects with StoreError (unreachable, wrong_password,
 * untrusted, wrong_transport, wrong_version); then no connection is left.
 */
export async function connectRedis(
  settings: RedisSettings,
  deps: { readonly log?: Logger; readonly random?: Random } = {},
): Promise<RedisClient> {
  const random = deps.random ?? createSystemRandom();
  const address = parseRedisAddress(settings.url, settings.password);
  const commands = new Redis({
    ...optionsOf(address, settings, "msgr", random),
    // Commands of one turn of the event loop go out as one write.
    enableAutoPipelining: true,
    reconnectOnError: createFailoverWatch(),
  });
  const subscriber = new Redis(optionsOf(address, settings, "msgr-bus", random));
  const close = (): void => {
    commands.disconnect();
    subscriber.disconnect();
  };
  try {
    await Promise.all([open(commands, settings.timeoutMs), open(subscriber, settings.timeoutMs)]);
    const objection = versionObjection(parseInfo(await commands.info("server")).version, address.text);
    if (objection !== undefined) throw objection;
  } catch (error) {
    close();
    throw await explainRedis(error, address, settings.timeoutMs);
  }
  report(commands, address, deps.log);
  return {
    address,
    keys: new RedisKeys(settings.keyPrefix),
    timeoutMs: settings.timeoutMs,
    random,
    commands,
    subscriber,
    lost: () => commands.status !== "ready",
    run: (script, keys, args) => answered(runScript(commands, script, keys, args)),
    close,
  };
}

/**
 * What is wrong with a Redis, for `msgr doctor` and `config check --online`: unreachable, wrong password, TLS where there is none or the other way round, too old, a
 * replica, or one that evicts. Empty = nothing. Never rejects.
 */
export async function inspectRedis(settings: RedisSettings): Promise<readonly StoreError[]> {
  const address = parseRedisAddress(settings.url, settings.password);
  const redis = new Redis(optionsOf(address, settings, "msgr-doctor", createSystemRandom()));
  try {
    await open(redis, settings.timeoutMs);
    return factsObjections(parseInfo(await redis.info()), address.text);
  } catch (error) {
    return [await explainRedis(error, address, settings.timeoutMs)];
  } finally {
    redis.disconnect();
  }
}

/** ioredis goes on trying after a first failure; here the first one is the answer, with its cause. */
async function open(redis: Redis, timeoutMs: number): Promise<void> {
  let cause: unknown;
  const onError = (error: Error): void => {
    cause ??= error;
  };
  redis.on("error", onError);
  const patience = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs).unref();
  });
  try {
    await Promise.race([redis.connect(), patience]);
  } catch (error) {
    throw cause ?? error;
  } finally {
    // Without a listener ioredis would print later errors itself.
    redis.on("error", () => {});
    redis.off("error", onError);
  }
}

async function runScript(
  redis: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(script.sha1, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return redis.eval(script.text, keys.length, ...keys, ...args);
  }
}

const failoverPauseMs = 5_000;

/** After a failover the name may lead to another server: look again, but not for every refused write. */
function createFailoverWatch(): (error: Error) => boolean {
  let lookedAt = -failoverPauseMs;
  return (error) => {
    if (!error.message.startsWith("READONLY") || performance.now() - lookedAt < failoverPauseMs) return false;
    lookedAt = performance.now();
    return true;
  };
}

function report(commands: Redis, address: RedisAddress, log: Logger | undefined): void {
  let isLost = false;
  commands.on("close", () => {
    if (!isLost) log?.warn({ address: address.text }, "Redis is lost");
    isLost = true;
  });
  commands.on("ready", () => {
    if (isLost) log?.info({ address: address.text }, "Redis is back");
    isLost = false;
  });
}
