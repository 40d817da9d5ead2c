import type { FaultEvent } from "../faults/fault-event.ts";
import { faultKinds } from "../faults/fault-kinds.ts";
import { limits } from "../../protocol/limits.ts";
import { type Span, unite } from "./spans.ts";

/**
 * When presence may be wrong or late because of what was done to the run. Promise I6 holds while Redis lives; the rest of
 * the excuses is about who looks and who is looked at: no message passes a link that is cut. Each rule says why, and
 * everything that it covers is counted as excused.
 *
 *   state: somebody alive may be told offline     time: what is told may be old
 */
export interface Circumstances {
  readonly faults: readonly FaultEvent[];
  /** When a worker stood still. */
  readonly stalls: readonly Span[];
}

export interface Excusing {
  readonly concern: "state" | "time";
  /** Places in the list of servers. */
  readonly watcher: number;
  readonly subjects: ReadonlySet<number>;
  /** The first heartbeat of the user that was sent and answered after a time; undefined: there is none. */
  readonly nextBeatMs: (afterMs: number) => number | undefined;
}

/** A server tries to reach its Redis again every 2 s, renews its lease within 5 s, and whoever watches looks every 2 s. */
const redisBackMs = 9_000;
/** From a heartbeat to whoever watches. */
const toldMs = 2_000;
/** What waited for a server or a link to go on is done by then. */
const caughtUpMs = 2_000;
/** Connections of a pool are made anew, and those who watch are told at the next look. */
const postgresBackMs = 6_000;
/** A lease lasts 15 s and is renewed every 5 s: a process that stood still for longer than this may have lost it. */
const pauseForLeaseMs = 10_000;

export function excusesOf(excusing: Excusing, { faults, stalls }: Circumstances): readonly Span[] {
  const spans = faults.flatMap((fault) => {
    if (fault.atMs === undefined) return [];
    const endMs = fault.endMs ?? Number.POSITIVE_INFINITY;
    const isRedisLost = fault.which === "redis" && !isSlowLink(fault);
    const toMs = isRedisLost
      ? endOfRedisExcuse(endMs, excusing, faults)
      : endOfExcuse(fault, fault.atMs, endMs, excusing);
    return toMs === undefined ? [] : [{ fromMs: fault.atMs, toMs }];
  });
  // What a worker noted late it may have had in time.
  return unite([...spans, ...stalls]);
}

/** Undefined: this fault excuses nothing of it. */
function endOfExcuse(fault: FaultEvent, atMs: number, endMs: number, excusing: Excusing): number | undefined {
  const { concern, watcher, subjects } = excusing;
  // It lives, and is slow: whoever beat in time is there, but it takes more round trips than a second has.
  if (fault.which === "redis") return concern === "time" ? endMs + caughtUpMs : undefined;
  // Whether somebody may see a user is read there: without it nothing is told. What is told must be true.
  if (fault.which === "postgres") return concern === "time" ? endMs + postgresBackMs : undefined;
  const isWatchers = strikes(fault, watcher);
  const isSubjects = [...subjects].some((server) => strikes(fault, server));
  if (!isWatchers && !isSubjects) return undefined;
  // Ends the connections of all who were there; whom it leaves silent is judged by that.
  if (fault.do === "server.kill") return undefined;
  if (fault.do === "server.pause") {
    // To the others a process without a lease is dead. It takes it up again, and writes its users, when it goes on.
    if (isSubjects && endMs - atMs >= pauseForLeaseMs) return endMs + redisBackMs;
    return concern === "time" || isWatchers ? endMs + caughtUpMs : undefined;
  }
  // Links of clients: what is on its way is late; what was lost ended a connection, and no connection shows nothing.
  return concern === "time" ? endMs + caughtUpMs : undefined;
}

/**
 * Soft state may be lost as a whole: it comes back with the lease of the user's process, once that can do something, and at
 * the latest with a heartbeat.
 */
function endOfRedisExcuse(endMs: number, { subjects, nextBeatMs }: Excusing, faults: readonly FaultEvent[]): number {
  let backMs = endMs;
  for (const fault of faults) {
    const { do: kind, atMs = Number.POSITIVE_INFINITY, endMs: resumedMs = Number.POSITIVE_INFINITY } = fault;
    if (kind !== "server.pause" || ![...subjects].some((server) => strikes(fault, server))) continue;
    if (atMs < endMs + redisBackMs && resumedMs > endMs) backMs = Math.max(backMs, resumedMs);
  }
  const beatMs = nextBeatMs(backMs) ?? backMs + limits.heartbeatIntervalMs;
  return Math.max(backMs + redisBackMs, Math.min(beatMs, backMs + limits.heartbeatIntervalMs) + toldMs);
}

export function isSlowLink({ do: kind }: FaultEvent): boolean {
  return kind === "proxy.latency" || kind === "proxy.throttle";
}

/** Whether a fault is about a server or the way of clients to it. `server`: place in the list of servers. */
export function strikes({ do: kind, which }: FaultEvent, server: number): boolean {
  const { to } = faultKinds[kind];
  return which === `server-${server + 1}` || (to === "link" && which === "clients");
}
