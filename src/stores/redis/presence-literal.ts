import type { Clock } from "../../base/clock.ts";
import { limits } from "../../protocol/limits.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { RedisClient } from "./connect.ts";
import { LocalBeats, type LocalBeat } from "./local-beats.ts";
import type { Losses } from "./losses.ts";
import { pipelined } from "./pipelined.ts";
import type { RedisPresence } from "./redis-presence.ts";
import { RawWriter } from "./raw-writer.ts";
import { encodeCommand } from "./resp.ts";
import { scripts } from "./scripts.ts";

export interface LiteralPresenceOptions {
  readonly clock: Clock;
  /** Redis may have forgotten which devices beat. Absent where nobody beats. */
  readonly losses?: Pick<Losses, "onLost"> | undefined;
  readonly presenceTtlMs?: number;
  readonly lastSeenTtlMs?: number;
}

/** The hash of a user's devices outlives their process by this; it is written again before half of it has passed. */
const devicesTtlMs = 600_000;

/**
 * Presence where every heartbeat is a write. A beat is two commands, whose TTLs are the clock:
 *
 *   SET online:{u} 1 PX 45000      SET lastseen:{u} <ms> PX 2592000000
 *
 * Which device beats is written once for each connection, and again every five minutes (HSET devices:{u}): whoever leaves
 * has to know whether another device, of any process, is there. After the death of a process its devices are still in that
 * hash; all that can follow is that a user whose other device leaves goes offline by the TTL instead of at once.
 */
export function createLiteralPresence(redis: RedisClient, options: LiteralPresenceOptions): RedisPresence {
  const presenceTtlMs = options.presenceTtlMs ?? limits.presenceTtlMs;
  const lastSeenTtlMs = options.lastSeenTtlMs ?? limits.lastSeenTtlMs;
  const { keys } = redis;
  const beats = new LocalBeats();
  options.losses?.onLost(() => {
    for (const { beat } of beats.all()) beat.writtenAt = 0;
  });
  const writer = new RawWriter({ ...redis, clock: options.clock });
  const onlineTail = `\r\n$1\r\n1\r\n$2\r\nPX\r\n$${String(presenceTtlMs).length}\r\n${presenceTtlMs}\r\n`;
  const lastSeenTail = `\r\n$2\r\nPX\r\n$${String(lastSeenTtlMs).length}\r\n${lastSeenTtlMs}\r\n`;

  const set = (key: string, tail: string): string => `*5\r\n$3\r\nSET\r\n$${Buffer.byteLength(key)}\r\n${key}${tail}`;

  const encodeBeat = (userId: Uuid, at: number): string => {
    const seen = String(at);
    return (
      set(keys.online(userId), onlineTail) + set(keys.lastSeen(userId), `\r\n$${seen.length}\r\n${seen}${lastSeenTail}`)
    );
  };

  const encodeDevice = (userId: Uuid, beat: LocalBeat): string => {
    const key = keys.devices(userId);
    return encodeCommand(["HSET", key, beat.device, beat.connection]) + encodeCommand(["PEXPIRE", key, devicesTtlMs]);
  };

  return {
    beat(userId, device, connection, at) {
      const beat = beats.note(userId, device, connection, at);
      if (beat.claim !== "" && at - beat.writtenAt < devicesTtlMs / 2) {
        return (beat.writing = writer.write(encodeBeat(userId, at), 2));
      }
      const written = writer.write(encodeDevice(userId, beat) + encodeBeat(userId, at), 4);
      return (beat.writing = written.then(() => {
        beat.claim = "written";
        beat.writtenAt = at;
      }));
    },

    async leave(userId, device, connection, at) {
      const leaving = beats.get(userId, device, connection);
      if (leaving !== undefined) beats.remove(userId, leaving);
      // The beats have a socket of their own and could overtake.
      await leaving?.writing?.catch(() => {});
      // It beat again meanwhile.
      if (beats.get(userId, device, connection) !== undefined) return;
      const silent = beats.silentOf(userId, at, presenceTtlMs);
      for (const beat of silent) beats.remove(userId, beat);
      const owners = silent.flatMap((beat) => [beat.device, beat.connection]);
      await redis.run(
        scripts.presenceLeave,
        [keys.online(userId), keys.devices(userId), keys.lastSeen(userId)],
        [at, lastSeenTtlMs, device, connection, ...owners],
      );
    },

    async lookup(userIds) {
      if (userIds.length === 0) return [];
      const pipeline = redis.commands.pipeline();
      for (const userId of userIds) pipeline.mget(keys.online(userId), keys.lastSeen(userId));
      return (await pipelined(pipeline.exec())).map((answer) => {
        const [online, lastSeen] = answer as [string | null, string | null];
        return { online: online !== null, lastSeenAt: Number(lastSeen ?? 0) };
      });
    },

    start: () => writer.open(),
    stop: () => writer.close(),
  };
}
