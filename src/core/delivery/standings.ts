import type { Uuid } from "../../protocol/ids.ts";
import type { LaneContext } from "./lane-context.ts";
import type { Lane, Standing } from "./lane.ts";
import { peerOf, type Peers } from "./peers.ts";

/** What is known of whether the other one blocks `userId`, if it may still be used at `nowMs` (monotonic; absent = now). */
export function believedStanding(
  { belief }: Pick<LaneContext, "belief">,
  lane: Lane,
  userId: Uuid,
  nowMs?: number,
): Standing | undefined {
  const standing = lane.standings.get(userId);
  return standing !== undefined && belief.holds(standing.readAt, nowMs) ? standing : undefined;
}

/** Reads it. Nothing is kept when the block changed meanwhile: that was announced, and what was read may be older. */
export async function readStanding(
  { ports }: Pick<LaneContext, "ports">,
  lane: Lane,
  peers: Peers,
  userId: Uuid,
): Promise<void> {
  const epoch = lane.standingsEpoch;
  const readAt = ports.clock.monotonicMs();
  const { blocked } = await ports.relations.between(peerOf(peers, userId), userId);
  if (lane.standingsEpoch === epoch) lane.standings.set(userId, { blocked, readAt });
}
