import type { Random } from "../../../src/base/random.ts";
import type { RedisClient } from "../../../src/stores/redis/connect.ts";
import { answered } from "../../../src/stores/redis/errors.ts";
import { RedisKeys } from "../../../src/stores/redis/keys.ts";
import { parseRedisAddress } from "../../../src/stores/redis/redis-address.ts";
import { retryDelayMs } from "../../../src/stores/redis/retry-delay.ts";
import type { Script } from "../../../src/stores/redis/scripts.ts";
import type { Scheduler } from "../scheduler.ts";
import type { RedisSocket, SocketOwner } from "./redis-socket.ts";
import type { SimRedis } from "./sim-redis.ts";

type Enter = (run: () => void) => void;

/** A socket that is opened again whenever it ends, as ioredis does it. */
class Connector {
  readonly #redis: SimRedis;
  readonly #scheduler: Scheduler;
  readonly #owner: SocketOwner;
  readonly #onReady: () => void;
  socket: RedisSocket | undefined;
  #attempt = 0;

  constructor(
    redis: SimRedis,
    scheduler: Scheduler,
    enter: Enter,
    on: { readonly ready: () => void; readonly close: () => void; readonly message: SocketOwner["onMessage"] },
  ) {
    this.#redis = redis;
    this.#scheduler = scheduler;
    this.#onReady = on.ready;
    this.#owner = {
      enter,
      onMessage: on.message,
      onClosed: () => {
        on.close();
        this.#later();
      },
    };
  }

  get isReady(): boolean {
    return this.socket?.isOpen === true;
  }

  /** Whether Redis took the connection. */
  open(): boolean {
    if (this.#redis.isDown) return false;
    this.#attempt = 0;
    this.socket = this.#redis.connect(this.#owner);
    return true;
  }

  #later(): void {
    this.#scheduler.after(retryDelayMs(++this.#attempt, this.#scheduler.random), () => {
      this.#owner.enter(() => {
        if (this.open()) this.#onReady();
        else this.#later();
      });
    });
  }
}

/** What one process has of Redis: the commands that src/stores/redis uses, on the simulated server. */
export interface SimRedisClient extends RedisClient {
  /** False: nobody answers. */
  open(): boolean;
  cutCommands(): void;
  cutListening(): void;
  deafen(): void;
  /** What it listens on is handed nothing any more, and ends some time later. */
  overflow(): void;
  /** The process is gone. */
  die(): void;
}

export function createSimRedisClient(redis: SimRedis, scheduler: Scheduler, enter: Enter): SimRedisClient {
  const { memory } = redis;
  const handlers = new Map<string, (...args: string[]) => void>();
  const ignore = (): void => undefined;
  const commanding = new Connector(redis, scheduler, enter, { ready: ignore, close: ignore, message: ignore });
  const listening = new Connector(redis, scheduler, enter, {
    ready: () => handlers.get("ready")?.(),
    close: () => handlers.get("close")?.(),
    message: (channel, text) => handlers.get("smessage")?.(channel, text),
  });
  const ask = <T>(connector: Connector, run: () => T): Promise<T> => {
    const { socket } = connector;
    if (socket === undefined) return Promise.reject(new Error("Connection is closed."));
    return socket.ask(() => {
      if (redis.refuses()) throw new Error("LOADING Redis is loading the dataset in memory");
      return run();
    });
  };
  const command = <T>(run: () => T): Promise<T> => ask(commanding, run);
  const commands = {
    get: (key: string) => command(() => memory.get(key)),
    pttl: (key: string) => command(() => memory.pttl(key)),
    zrem: (key: string, member: string) => command(() => memory.zrem(key, member)),
    // SET key value PX ttl NX, SET key value NX, and SET key value PX ttl.
    set: (key: string, value: string | number, ...rest: readonly (string | number)[]) => {
      const ttlMs = rest[0] === "PX" ? Number(rest[1]) : undefined;
      const isLasting = rest.at(-1) === "NX" || ttlMs === undefined;
      return command(() =>
        isLasting ? memory.setIfAbsent(key, String(value), ttlMs) : memory.set(key, String(value), ttlMs),
      );
    },
    hget: (key: string, field: string) => command(() => memory.hget(key, field)),
    hset: (key: string, field: string | number, value: string) => command(() => memory.hset(key, String(field), value)),
    pexpire: (key: string, ttlMs: number) => command(() => memory.pexpire(key, ttlMs)),
    spublish: (channel: string, text: string) => command(() => redis.publish(channel, text)),
    pipeline: () => {
      const asked: (() => unknown)[] = [];
      const pipeline = {
        get: (key: string) => add(() => memory.get(key)),
        hgetall: (key: string) => add(() => memory.hgetall(key)),
        hvals: (key: string) => add(() => memory.hvals(key)),
        zrange: (key: string) => add(() => memory.zrange(key)),
        zrem: (key: string, member: string) => add(() => memory.zrem(key, member)),
        exec: () => command(() => asked.map((run) => [null, run()])),
      };
      const add = (run: () => unknown): typeof pipeline => {
        asked.push(run);
        return pipeline;
      };
      return pipeline;
    },
  };
  const subscriber = {
    on: (event: string, handler: (...args: string[]) => void) => void handlers.set(event, handler),
    ssubscribe: (channel: string) => {
      const { socket } = listening;
      return ask(listening, () => socket && redis.listen(socket, channel));
    },
    sunsubscribe: (channel: string) => {
      const { socket } = listening;
      return ask(listening, () => socket && redis.unlisten(socket, channel));
    },
    disconnect: () => listening.socket?.cut(),
  };
  return {
    address: parseRedisAddress("redis://simulated", undefined),
    keys: new RedisKeys(""),
    timeoutMs: redis.timeoutMs,
    random: scheduler.random satisfies Random,
    commands: commands as unknown as RedisClient["commands"],
    subscriber: subscriber as unknown as RedisClient["subscriber"],
    lost: () => !commanding.isReady,
    run: (script: Script, keys, args) => answered(command(() => memory.run(script, keys, args))),
    close: ignore,
    open: () => commanding.open() && listening.open(),
    cutCommands: () => commanding.socket?.cut(),
    cutListening: () => listening.socket?.cut(),
    deafen() {
      if (listening.socket !== undefined) listening.socket.isDeaf = true;
    },
    overflow: () => listening.socket?.overflow(),
    die() {
      commanding.socket?.die();
      listening.socket?.die();
    },
  };
}
