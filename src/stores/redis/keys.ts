import type { Uuid } from "../../protocol/ids.ts";

/**
 * The names of everything we keep in Redis. What belongs to one user carries {user}, so that a cluster of Redis servers
 * keeps it in one slot and a script may touch all of it.
 */
export class RedisKeys {
  /** Put before every key and channel, so that several clusters share one server. */
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** literal presence: exists = online. */
  online(userId: Uuid): string {
    return `${this.prefix}online:{${userId}}`;
  }

  /** literal presence: HASH device → connection, to tell on leaving whether another device is there. */
  devices(userId: Uuid): string {
    return `${this.prefix}devices:{${userId}}`;
  }

  /** lease presence: HASH device → node:epoch:connection. */
  presence(userId: Uuid): string {
    return `${this.prefix}presence:{${userId}}`;
  }

  /** ZSET node:epoch of the processes where somebody watches the user → when that ends. */
  watchers(userId: Uuid): string {
    return `${this.prefix}watch:{${userId}}`;
  }

  lastSeen(userId: Uuid): string {
    return `${this.prefix}lastseen:{${userId}}`;
  }

  /** Routing: HASH device → node:epoch:connection. */
  connection(userId: Uuid): string {
    return `${this.prefix}connection:{${userId}}`;
  }

  typing(conversationId: Uuid): string {
    return `${this.prefix}typing:{${conversationId}}`;
  }

  rate(bucket: string): string {
    return `${this.prefix}rl:${bucket}`;
  }

  /** The lease of a server process, and the channel on which it listens. `node` as in a claim. */
  node(node: string): string {
    return `${this.prefix}node:{${node}}`;
  }

  /** ZSET node:epoch → when its lease ends. */
  get nodes(): string {
    return `${this.prefix}nodes`;
  }

  /** The channel on which every server process listens. */
  get notices(): string {
    return `${this.prefix}notices`;
  }

  /** The sentinel: gone or another one = Redis lost its memory. */
  get epoch(): string {
    return `${this.prefix}msgr:epoch`;
  }
}
