import type { Uuid } from "../../protocol/ids.ts";

/** The two of a direct chat; the same twice for notes to oneself. `userIds` holds each once. */
export interface Peers {
  readonly one: Uuid;
  readonly other: Uuid;
  readonly userIds: readonly Uuid[];
}

export function createPeers(one: Uuid, other: Uuid): Peers {
  return { one, other, userIds: one === other ? [one] : [one, other] };
}

export function peerOf(peers: Peers, userId: Uuid): Uuid {
  return peers.one === userId ? peers.other : peers.one;
}

export function isPeer(peers: Peers, userId: Uuid): boolean {
  return peers.one === userId || peers.other === userId;
}
