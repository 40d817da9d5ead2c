import type { ConnectionState } from "../../client/machine/types.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Life, LifeEnd, PresenceObservations, Sight, Watch } from "../presence/observations.ts";
import type { Span } from "../presence/spans.ts";

/**
 * Notes what devices of watched users did and what watchers were told, as it happens. Devices and watchers have a key each,
 * which the caller chooses. Times are monotonic ms; `observations` gives them on the run's axis. Beyond so many entries
 * nothing is noted any more, and that is said.
 */
const entriesMax = 200_000;
/** A pulse that comes so late is the worker's fault, not the server's. */
const stallMs = 250;

interface OpenLife {
  userId: Uuid;
  device: number;
  server: number;
  askedAtMs: number;
  upAtMs: number | undefined;
  downAtMs: number | undefined;
  end: LifeEnd | undefined;
  sentMs: number[];
  answeredMs: number[];
}

interface OpenWatch {
  readonly watcher: number;
  readonly server: number;
  readonly sinceMs: number;
  readonly sights: { userId: Uuid; online: boolean; fromMs: number; toMs: number }[];
  readonly last: Map<Uuid, OpenWatch["sights"][number]>;
}

export class PresenceRecorder {
  readonly #lives: OpenLife[] = [];
  readonly #watches: OpenWatch[] = [];
  readonly #openLives = new Map<number, OpenLife>();
  readonly #openWatches = new Map<number, OpenWatch>();
  readonly #stalls: Span[] = [];
  #entries = 0;
  #nowMs = 0;
  #untilMs = Number.POSITIVE_INFINITY;
  #pulseMs = Number.NaN;

  /** Every millisecond or so. */
  pulse(nowMs: number): void {
    if (nowMs - this.#pulseMs >= stallMs && this.#hasRoom()) {
      this.#stalls.push({ fromMs: this.#pulseMs, toMs: nowMs });
    }
    this.#pulseMs = nowMs;
    this.#nowMs = nowMs;
  }

  /** `end`: how it ended if it did. */
  connection(
    key: number,
    { userId, server }: { readonly userId: Uuid; readonly server: number },
    state: ConnectionState,
    end: LifeEnd,
    nowMs: number,
  ): void {
    const open = this.#openLives.get(key);
    if (state === "greeting") {
      if (!this.#hasRoom()) return;
      const life: OpenLife = {
        userId,
        device: key,
        server,
        askedAtMs: nowMs,
        upAtMs: undefined,
        downAtMs: undefined,
        end: undefined,
        sentMs: [],
        answeredMs: [],
      };
      this.#lives.push(life);
      this.#openLives.set(key, life);
    } else if (open !== undefined && state === "ready") open.upAtMs ??= nowMs;
    else if (open !== undefined) {
      open.downAtMs = nowMs;
      open.end = end;
      this.#openLives.delete(key);
    }
  }

  beat(key: number, nowMs: number): void {
    const life = this.#openLives.get(key);
    if (life === undefined || !this.#hasRoom()) return;
    life.sentMs.push(nowMs);
  }

  /** Answers come in the order of the heartbeats. */
  answered(key: number, nowMs: number): void {
    const life = this.#openLives.get(key);
    if (life !== undefined && life.answeredMs.length < life.sentMs.length) life.answeredMs.push(nowMs);
  }

  watching(key: number, watcher: number, server: number, sinceMs: number): void {
    const watch: OpenWatch = { watcher, server, sinceMs, sights: [], last: new Map() };
    this.#watches.push(watch);
    this.#openWatches.set(key, watch);
  }

  blind(key: number): void {
    this.#openWatches.delete(key);
  }

  told(key: number, userId: Uuid, online: boolean, nowMs: number): void {
    const watch = this.#openWatches.get(key);
    if (watch === undefined) return;
    const last = watch.last.get(userId);
    if (last !== undefined) last.toMs = nowMs;
    if (last?.online === online || !this.#hasRoom()) return;
    const sight = { userId, online, fromMs: nowMs, toMs: nowMs };
    watch.sights.push(sight);
    watch.last.set(userId, sight);
  }

  /** Once, at the end. */
  observations(t0Ms: number): PresenceObservations {
    return {
      lives: this.#lives.map((life) => closeLife(life, t0Ms)),
      watches: this.#watches.map(({ watcher, server, sinceMs, sights }): Watch => {
        return { watcher, server, sinceMs: sinceMs - t0Ms, sights: sights.map((sight) => moveSight(sight, t0Ms)) };
      }),
      stalls: this.#stalls.map(({ fromMs, toMs }) => ({ fromMs: fromMs - t0Ms, toMs: toMs - t0Ms })),
      untilMs: this.#untilMs - t0Ms,
    };
  }

  #hasRoom(): boolean {
    if (this.#entries < entriesMax) return ++this.#entries > 0;
    this.#untilMs = Math.min(this.#untilMs, this.#nowMs);
    return false;
  }
}

function closeLife(life: OpenLife, t0Ms: number): Life {
  const { userId, device, server, askedAtMs, upAtMs, downAtMs, end, sentMs, answeredMs } = life;
  return {
    userId,
    device,
    server,
    askedAtMs: askedAtMs - t0Ms,
    upAtMs: upAtMs === undefined ? undefined : upAtMs - t0Ms,
    downAtMs: downAtMs === undefined ? undefined : downAtMs - t0Ms,
    end,
    beats: Float64Array.from(sentMs.flatMap((sent, at) => [sent - t0Ms, (answeredMs[at] ?? Number.NaN) - t0Ms])),
  };
}

function moveSight({ userId, online, fromMs, toMs }: Sight, t0Ms: number): Sight {
  return { userId, online, fromMs: fromMs - t0Ms, toMs: toMs - t0Ms };
}
