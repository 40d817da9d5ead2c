import type { FaultEvent } from "../faults/fault-event.ts";
import { limits } from "../../protocol/limits.ts";
import { isSlowLink, strikes } from "./excuses.ts";
import type { Life } from "./observations.ts";
import { clip, type Span, unite } from "./spans.ts";

/**
 * Where one user was, from the connections of all of the user's devices: when certainly online, and when nobody can be
 * online any more. In between either answer is right.
 */

/** Promise I6, and docs/protocol.md: changes come within a second. */
export const onlineWithinMs = 1_000;
export const leftWithinMs = 1_000;
/** The server looks at each connection once a second, and tells whoever watches within another. */
export const silentWithinMs = limits.presenceTtlMs + 2_000;

/** The end of a time in which the user may have been online. */
export interface Departure {
  /** The device left, or was last heard. */
  readonly atMs: number;
  readonly kind: "left" | "silent";
  /** From then on nobody may see the user online, until somebody comes. */
  readonly dueMs: number;
  readonly untilMs: number;
  readonly life: Life;
}

/**
 * A device has a connection for sure from WELCOME to the sending of its last heartbeat that was answered: who answers had
 * the connection then. And it counts as alive for presenceTtlMs after a heartbeat that was answered.
 */
export function certainlyOnline(lives: readonly Life[]): Span[] {
  return unite(lives.flatMap(certainOf));
}

function certainOf({ askedAtMs, upAtMs, beats }: Life): Span[] {
  if (upAtMs === undefined) return [];
  const spans: Span[] = [{ fromMs: upAtMs, toMs: askedAtMs + limits.presenceTtlMs }];
  let provenMs = upAtMs;
  for (let at = 0; at < beats.length; at += 2) {
    const [sentMs, answeredMs] = [beats[at] as number, beats[at + 1] as number];
    if (Number.isNaN(answeredMs)) continue;
    provenMs = sentMs;
    spans.push({ fromMs: answeredMs, toMs: sentMs + limits.presenceTtlMs });
  }
  return clip(unite(spans), { fromMs: upAtMs, toMs: provenMs });
}

export function departuresOf(lives: readonly Life[], faults: readonly FaultEvent[]): Departure[] {
  const ends = lives
    .map((life) => ({ life, ...superseded(endOf(life, faults), life, lives) }))
    .toSorted((one, other) => one.life.askedAtMs - other.life.askedAtMs);
  const departures: Departure[] = [];
  let last: (typeof ends)[number] | undefined;
  for (const end of ends) {
    if (last !== undefined && end.life.askedAtMs > last.dueMs) {
      departures.push({ ...last, untilMs: end.life.askedAtMs });
      last = end;
    } else if (last === undefined || end.dueMs > last.dueMs) last = end;
  }
  if (last !== undefined && Number.isFinite(last.dueMs))
    departures.push({ ...last, untilMs: Number.POSITIVE_INFINITY });
  return departures;
}

/** A device has one connection: its next one takes the place of what is left of this one. */
function superseded(end: ReturnType<typeof endOf>, { device, askedAtMs }: Life, lives: readonly Life[]) {
  const nextMs = Math.min(
    ...lives
      .filter((other) => other.device === device && other.askedAtMs > askedAtMs)
      .map(({ upAtMs }) => upAtMs ?? Number.POSITIVE_INFINITY),
  );
  return { ...end, dueMs: Math.min(end.dueMs, nextMs) };
}

function endOf(life: Life, faults: readonly FaultEvent[]): Pick<Departure, "atMs" | "kind" | "dueMs"> {
  const { downAtMs, upAtMs, end } = life;
  if (downAtMs === undefined) return { atMs: Number.POSITIVE_INFINITY, kind: "left", dueMs: Number.POSITIVE_INFINITY };
  const isHeard =
    upAtMs !== undefined && end === "left" && !faults.some((fault) => hidesLeaving(fault, life, downAtMs));
  if (isHeard) return { atMs: downAtMs, kind: "left", dueMs: downAtMs + leftWithinMs };
  // Of a connection that never was one it is unknown when the server heard its HELLO.
  const heardMs = upAtMs === undefined || end === "left" ? downAtMs : lastHeardMs(life, upAtMs);
  const atMs = Math.max(heardMs, ...faults.map((fault) => readUntilMs(fault, life, heardMs)));
  return { atMs, kind: "silent", dueMs: atMs + silentWithinMs };
}

function lastHeardMs({ beats }: Life, upAtMs: number): number {
  let lastMs = upAtMs;
  for (let at = 0; at < beats.length; at += 2) {
    const [sentMs, answeredMs] = [beats[at] as number, beats[at + 1] as number];
    lastMs = Math.max(lastMs, Number.isNaN(answeredMs) ? sentMs : answeredMs);
  }
  return lastMs;
}

/** A connection whose server has just died, or cannot tell Redis, ends as if the device had fallen silent. */
function hidesLeaving(fault: FaultEvent, { server }: Life, leftMs: number): boolean {
  const isKilled = fault.do === "server.kill" && strikes(fault, server);
  if (fault.atMs === undefined || (fault.which !== "redis" && !isKilled)) return false;
  return fault.atMs <= leftMs + leftWithinMs && leftMs <= (fault.endMs ?? Number.POSITIVE_INFINITY) + redisReconnectMs;
}

/** Between two attempts of a server to reach its Redis. */
const redisReconnectMs = 2_000;

/** A heartbeat that was sent to a server that stands still, or over a slow link, is heard when that is over. */
function readUntilMs(fault: FaultEvent, { server }: Life, sentMs: number): number {
  const holds = strikes(fault, server) && (fault.do === "server.pause" || isSlowLink(fault));
  if (!holds || fault.atMs === undefined || fault.endMs === undefined) return Number.NEGATIVE_INFINITY;
  const isHeld = sentMs >= fault.atMs - heldBeforeMs && sentMs <= fault.endMs;
  return isHeld ? fault.endMs + heldBeforeMs : Number.NEGATIVE_INFINITY;
}

const heldBeforeMs = 1_000;
