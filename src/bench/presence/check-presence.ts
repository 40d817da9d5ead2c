import { present } from "../../base/assert.ts";
import { type Circumstances, type Excusing, excusesOf } from "./excuses.ts";
import type { Life, PresenceObservations, Sight, Watch } from "./observations.ts";
import type { PresenceCase, PresenceTimes, PresenceVerdict } from "./presence-verdict.ts";
import { clip, lengthMs, type Span, subtract, unite } from "./spans.ts";
import {
  certainlyOnline,
  type Departure,
  departuresOf,
  leftWithinMs,
  onlineWithinMs,
  silentWithinMs,
} from "./whereabouts.ts";

/**
 * Promise I6: online ≤ 1 s after a connect, offline ≤ 45 s after silence, and nobody alive looks offline. What users did
 * (lives) against what others were shown of them (sights), less what the faults of the run excuse.
 *
 * A change is late by how long it was unseen beyond its bound, excused time left out; so it counts as excused only where
 * an excuse covers all of its lateness. A watcher who loses the connection has seen nothing since it was last told.
 *
 * A user of a server that was killed is silent since the last heartbeat: that the connection's key is gone within 60 s is
 * not seen from here, but nobody may see the user by it after 45 s.
 */
export function checkPresence(
  observations: readonly PresenceObservations[],
  faults: Circumstances["faults"],
): PresenceVerdict {
  const check = new PresenceCheck(observations, faults);
  check.run();
  return check.verdict();
}

const casesMax = 20;
type Kind = "online" | "left" | "silent";
const withinMs: Readonly<Record<Kind, number>> = {
  online: onlineWithinMs,
  left: leftWithinMs,
  silent: silentWithinMs,
};

/** A change of one user, as one watcher's connection could see it. */
interface Change {
  readonly kind: Kind;
  readonly atMs: number;
  /** The other state was shown until then. */
  readonly seenMs: number;
  /** Or longer: the watcher saw no more. */
  readonly isOpen: boolean;
  readonly life: Life;
  readonly watch: Watch;
  readonly excuses: readonly Span[];
}

/** A time in which a user was certainly online. */
interface Presence {
  readonly span: Span;
  /** Of the user, at all times. */
  readonly lives: readonly Life[];
  readonly nextBeatMs: Excusing["nextBeatMs"];
  /** When somebody was first told so, whoever it was: the store had it then. */
  readonly knownMs: number;
}

class PresenceCheck {
  readonly #observations: readonly PresenceObservations[];
  readonly #circumstances: Circumstances;
  readonly #times: Readonly<Record<Kind, number[]>> = { online: [], left: [], silent: [] };
  readonly #cases: PresenceCase[] = [];
  readonly #users = new Set<string>();
  /** Beyond it somebody may have come of whom one worker has noted nothing. */
  readonly #untilMs: number;
  #checkedMs = 0;
  #excusedMs = 0;
  #excused = 0;
  #killed = 0;
  #cross = 0;
  #falseOffline = 0;

  constructor(observations: readonly PresenceObservations[], faults: Circumstances["faults"]) {
    this.#observations = observations;
    this.#untilMs = Math.min(...observations.map(({ untilMs }) => untilMs));
    this.#circumstances = { faults, stalls: unite(observations.flatMap(({ stalls }) => stalls)) };
  }

  run(): void {
    const livesOf = Map.groupBy(
      this.#observations.flatMap(({ lives }) => lives),
      ({ userId }) => userId,
    );
    const watches = this.#observations.flatMap((one) => one.watches);
    const sightsOf = watches.map((watch) => Map.groupBy(cut(watch.sights, this.#untilMs), ({ userId }) => userId));
    for (const [userId, lives] of livesOf) {
      const certain = certainlyOnline(lives).map((span) => ({ span, knownMs: firstSeenMs(sightsOf, userId, span) }));
      const nextBeatMs = createNextBeat(lives);
      const departures = departuresOf(lives, this.#circumstances.faults);
      for (const [index, watch] of watches.entries()) {
        const sights = sightsOf[index]?.get(userId);
        if (sights === undefined) continue;
        this.#users.add(userId);
        for (const { span, knownMs } of certain) {
          const shown = overlapping(sights, span);
          if (shown.length > 0) this.#checkOnline({ span, lives, nextBeatMs, knownMs }, shown, watch);
        }
        for (const departure of departures) {
          const shown = overlapping(sights, { fromMs: departure.atMs, toMs: departure.untilMs });
          if (shown.length > 0) this.#checkOffline(departure, shown, watch);
        }
      }
    }
  }

  verdict(): PresenceVerdict {
    const watchers = new Set(this.#observations.flatMap(({ watches }) => watches.map(({ watcher }) => watcher)));
    return {
      users: this.#users.size,
      watchers: watchers.size,
      checkedMs: Math.round(this.#checkedMs),
      excusedMs: Math.round(this.#excusedMs),
      online: timesOf(this.#times.online),
      left: timesOf(this.#times.left),
      silent: timesOf(this.#times.silent),
      killed: this.#killed,
      cross: this.#cross,
      excused: this.#excused,
      falseOffline: this.#falseOffline,
      cases: this.#cases,
      ...(Number.isFinite(this.#untilMs) ? { cutAtMs: Math.round(this.#untilMs) } : {}),
    };
  }

  #checkOnline({ span, lives, nextBeatMs, knownMs }: Presence, sights: readonly Sight[], watch: Watch): void {
    const during = lives.filter(({ askedAtMs, downAtMs }) => {
      return askedAtMs < span.toMs && (downAtMs ?? Number.POSITIVE_INFINITY) > span.fromMs;
    });
    const excuses = (concern: Excusing["concern"]): readonly Span[] =>
      excusesOf(
        {
          concern,
          watcher: watch.server,
          subjects: new Set(during.map(({ server }) => server)),
          nextBeatMs,
        },
        this.#circumstances,
      );
    const [state, time] = [excuses("state"), excuses("time")];
    this.#count(sights, { fromMs: span.fromMs + onlineWithinMs, toMs: span.toMs }, state);
    // A life that is certain has come up; the first one began the span.
    const life = during.find(({ upAtMs }) => upAtMs === span.fromMs) ?? present(during[0], "a life");
    let seenMs = Number.NaN;
    // What is told now was looked up later than the watcher asked for it.
    let isOnlineSeen = watch.sinceMs >= knownMs;
    for (const sight of sights) {
      if (sight.online) {
        if (!Number.isNaN(seenMs)) {
          this.#enter({
            kind: "online",
            atMs: span.fromMs,
            seenMs: sight.fromMs,
            isOpen: false,
            life,
            watch,
            excuses: time,
          });
          seenMs = Number.NaN;
        }
        // What was told before may be old news of a time before: it counts once it has been said again.
        isOnlineSeen ||= sight.fromMs >= span.fromMs || sight.toMs >= span.fromMs + oldNewsMs;
      } else if (isOnlineSeen) {
        this.#judgeOffline(sight, span, state, watch);
      } else seenMs = Math.min(sight.toMs, span.toMs);
    }
    if (Number.isNaN(seenMs)) return;
    this.#enter({ kind: "online", atMs: span.fromMs, seenMs, isOpen: true, life, watch, excuses: time });
  }

  /** After the user had been seen online: that is no lateness. */
  #judgeOffline(sight: Sight, span: Span, excuses: readonly Span[], watch: Watch): void {
    const due = { fromMs: span.fromMs + onlineWithinMs, toMs: span.toMs };
    const wrong = clip([sight], due).flatMap((part) => subtract(part, excuses));
    const [first] = wrong;
    if (first === undefined) return;
    this.#falseOffline++;
    this.#note("false_offline", () => {
      const since = Math.round(first.fromMs - span.fromMs);
      const shown = Math.round(lengthMs(wrong));
      return `${whoText(sight.userId, watch)} was shown offline at ${atText(first.fromMs)} for ${shown} ms, alive since ${since} ms`;
    });
  }

  #checkOffline(departure: Departure, sights: readonly Sight[], watch: Watch): void {
    const { atMs, dueMs, untilMs, kind, life } = departure;
    const subjects = new Set([life.server]);
    // Nobody beats who is gone: what Redis lost is not missing.
    const nextBeat = (afterMs: number): number => afterMs;
    const excuses = excusesOf(
      { concern: "time", watcher: watch.server, subjects, nextBeatMs: nextBeat },
      this.#circumstances,
    );
    this.#count(sights, { fromMs: dueMs, toMs: untilMs }, excuses);
    let seenMs = Number.NaN;
    let isOpen = true;
    for (const sight of sights) {
      if (sight.online) seenMs = Math.min(sight.toMs, untilMs);
      isOpen = sight.online;
    }
    if (!Number.isNaN(seenMs)) this.#enter({ kind, atMs, seenMs, isOpen, life, watch, excuses });
  }

  #enter({ kind, atMs, seenMs, isOpen, life, watch, excuses }: Change): void {
    const dueMs = atMs + withinMs[kind];
    const lateMs = seenMs <= dueMs ? 0 : lengthMs(subtract({ fromMs: dueMs, toMs: seenMs }, excuses));
    if (lateMs === 0 && seenMs > dueMs) this.#excused++;
    if (lateMs === 0 && (isOpen || seenMs > dueMs)) return;
    const tookMs = lateMs === 0 ? seenMs - atMs : withinMs[kind] + lateMs;
    this.#times[kind].push(tookMs);
    this.#cross += Number(watch.server !== life.server);
    this.#killed += Number(kind === "silent" && this.#isKilled(life));
    if (lateMs === 0) return;
    this.#note(`late_${kind}`, () => {
      const state = kind === "online" ? "offline" : "online";
      const still = isOpen ? "at least " : "";
      return `${whoText(life.userId, watch)} was shown ${state} for ${still}${Math.round(tookMs)} ms after ${atText(atMs)} (server-${life.server + 1})`;
    });
  }

  #isKilled({ server, downAtMs = Number.POSITIVE_INFINITY }: Life): boolean {
    return this.#circumstances.faults.some(
      (fault) =>
        fault.do === "server.kill" &&
        fault.which === `server-${server + 1}` &&
        fault.atMs !== undefined &&
        Math.abs(downAtMs - fault.atMs) < killNoticedMs,
    );
  }

  #count(sights: readonly Sight[], due: Span, excuses: readonly Span[]): void {
    const shown = clip(sights, due);
    const leftMs = lengthMs(shown.flatMap((part) => subtract(part, excuses)));
    this.#checkedMs += leftMs;
    this.#excusedMs += lengthMs(shown) - leftMs;
  }

  #note(kind: PresenceCase["kind"], detail: () => string): void {
    if (this.#cases.filter((known) => known.kind === kind).length < casesMax)
      this.#cases.push({ kind, detail: detail() });
  }
}

/** Whoever watches looks every 2 s, and an answer that takes longer than the rest of this is not expected. */
const oldNewsMs = 10_000;
/** From SIGKILL to the reset of a connection at its device. */
const killNoticedMs = 5_000;

/** When the first heartbeat, or HELLO, that was sent after a time was answered; undefined: none was. */
function createNextBeat(lives: readonly Life[]): (afterMs: number) => number | undefined {
  const beats: (readonly [sentMs: number, answeredMs: number])[] = [];
  for (const life of lives) {
    if (life.upAtMs !== undefined) beats.push([life.askedAtMs, life.upAtMs]);
    for (let at = 0; at < life.beats.length; at += 2) {
      const answeredMs = life.beats[at + 1] as number;
      if (!Number.isNaN(answeredMs)) beats.push([life.beats[at] as number, answeredMs]);
    }
  }
  beats.sort(([one], [other]) => one - other);
  return (afterMs) => {
    let [low, high] = [0, beats.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((beats[middle]?.[0] ?? afterMs) < afterMs) low = middle + 1;
      else high = middle;
    }
    return beats[low]?.[1];
  };
}

function firstSeenMs(sightsOf: readonly ReadonlyMap<string, readonly Sight[]>[], userId: string, span: Span): number {
  let firstMs = Number.POSITIVE_INFINITY;
  for (const sights of sightsOf) {
    for (const { online, fromMs } of sights.get(userId) ?? []) {
      if (online && fromMs >= span.fromMs && fromMs < span.toMs) firstMs = Math.min(firstMs, fromMs);
    }
  }
  return firstMs;
}

function overlapping(sights: readonly Sight[], { fromMs, toMs }: Span): readonly Sight[] {
  return sights.filter((sight) => sight.toMs > fromMs && sight.fromMs < toMs);
}

function cut(sights: readonly Sight[], untilMs: number): readonly Sight[] {
  return sights.flatMap((sight) =>
    sight.fromMs >= untilMs ? [] : [{ ...sight, toMs: Math.min(sight.toMs, untilMs) }],
  );
}

function timesOf(times: readonly number[]): PresenceTimes {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number): number => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return { count: sorted.length, p50Ms: at(0.5), maxMs: at(1) };
}

function whoText(userId: string, { watcher, server }: Watch): string {
  return `user ${userId}, watched by ${watcher} at server-${server + 1},`;
}

function atText(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
