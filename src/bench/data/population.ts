import { assert, present } from "../../base/assert.ts";
import { directConversationId, formatUuid, type Uuid } from "../../protocol/ids.ts";
import { mix32, mixBelow, seedFor } from "./mix.ts";
import { coprimeNear } from "./selection.ts";

/**
 * Who exists and who talks to whom, computed and never stored: every id, contact and member is a function of the seed and
 * an index. Users are 0…users−1. Conversations are numbered, direct ones first: 0…directCount−1, then the groups. Devices are
 * numbered user × devices + (device − 1). Contacts form a regular ring (each user talks to its neighbours on both sides
 * and, for an odd number, to the one opposite), so each pair is one conversation and both sides agree on its number.
 */
export interface GroupClass {
  readonly members: number;
  readonly count: number;
}

export interface PopulationSpec {
  readonly seed: number;
  readonly users: number;
  /** Devices per user, 1–5. */
  readonly devices: number;
  /** Direct conversations per user. */
  readonly contacts: number;
  readonly groups: readonly GroupClass[];
}

/** 2026-01-01T00:00:00Z; the time part of derived ids, so that they are valid UUIDv7 and sort by index. */
const epochMs = 1_767_225_600_000;

export class Population {
  readonly spec: PopulationSpec;
  readonly users: number;
  readonly devicesPerUser: number;
  readonly deviceCount: number;
  readonly directCount: number;
  readonly groupCount: number;
  readonly conversationCount: number;
  /** First group number of each class, and one past the last. */
  readonly #classStarts: readonly number[];
  readonly #groupSeed: number;
  readonly #idSeed: number;

  constructor(spec: PopulationSpec) {
    assert(problemsOfPopulation(spec).length === 0, problemsOfPopulation(spec)[0] ?? "");
    this.spec = spec;
    this.users = spec.users;
    this.devicesPerUser = spec.devices;
    this.deviceCount = spec.users * spec.devices;
    this.directCount = (spec.users * spec.contacts) / 2;
    const starts = [0];
    for (const group of spec.groups) starts.push((starts.at(-1) as number) + group.count);
    this.#classStarts = starts;
    this.groupCount = starts.at(-1) as number;
    this.conversationCount = this.directCount + this.groupCount;
    this.#groupSeed = seedFor(spec.seed, "groups");
    this.#idSeed = seedFor(spec.seed, "ids");
  }

  userId(user: number): Uuid {
    return this.#derivedId(user, 1);
  }

  /** Unique within a seed, 4–32 characters of a–z and 0–9. */
  handle(user: number): string {
    return `b${(this.#idSeed >>> 0).toString(36).padStart(7, "0")}u${user.toString(36)}`;
  }

  /** Global number of a user's device; `device` counts from 1 as on the wire. */
  deviceNumber(user: number, device: number): number {
    return user * this.devicesPerUser + device - 1;
  }

  userOfDevice(deviceNumber: number): number {
    return Math.floor(deviceNumber / this.devicesPerUser);
  }

  /** The k-th contact of a user, 0 ≤ k < contacts. Contacts are mutual and distinct. */
  contact(user: number, k: number): number {
    const { users } = this;
    if (k === this.spec.contacts - 1 && this.spec.contacts % 2 === 1) return (user + users / 2) % users;
    const distance = (k >> 1) + 1;
    return k % 2 === 0 ? (user + distance) % users : (user + users - distance) % users;
  }

  /** Number of the direct conversation with the k-th contact; the same from either side. */
  directConversation(user: number, k: number): number {
    const { users } = this;
    if (k === this.spec.contacts - 1 && this.spec.contacts % 2 === 1) {
      return (this.spec.contacts >> 1) * users + Math.min(user, (user + users / 2) % users);
    }
    const distance = (k >> 1) + 1;
    return (distance - 1) * users + (k % 2 === 0 ? user : (user + users - distance) % users);
  }

  /** Both users of a direct conversation. */
  directPeers(conversation: number): readonly [number, number] {
    assert(conversation < this.directCount, `conversation ${conversation} is direct`);
    const ring = Math.floor(conversation / this.users);
    const first = conversation % this.users;
    if (ring === this.spec.contacts >> 1) return [first, first + this.users / 2];
    return [first, (first + ring + 1) % this.users];
  }

  isDirect(conversation: number): boolean {
    return conversation < this.directCount;
  }

  conversationId(conversation: number): Uuid {
    if (!this.isDirect(conversation)) return this.groupId(conversation - this.directCount);
    const [one, other] = this.directPeers(conversation);
    return directConversationId(this.userId(one), this.userId(other));
  }

  groupId(group: number): Uuid {
    return this.#derivedId(group, 2);
  }

  groupConversation(group: number): number {
    return this.directCount + group;
  }

  groupSize(group: number): number {
    return present(this.spec.groups[this.#classOf(group)], "group class").members;
  }

  /** Groups of exactly this many members: [first, one past the last]; empty when there are none. */
  groupsOfSize(members: number): readonly [number, number] {
    const index = this.spec.groups.findIndex((group) => group.members === members);
    return index < 0 ? [0, 0] : [this.#classStarts[index] as number, this.#classStarts[index + 1] as number];
  }

  /** The member at a place, 0 ≤ place < size; place 0 owns the group. Members of one group are distinct. */
  groupMember(group: number, place: number): number {
    const { users } = this;
    const stride = coprimeNear(users, mix32(this.#groupSeed, group, 1) / 0x1_0000_0000);
    return (mixBelow(this.#groupSeed, group, 0, users) + place * stride) % users;
  }

  groupMembers(group: number): number[] {
    const { users } = this;
    const stride = coprimeNear(users, mix32(this.#groupSeed, group, 1) / 0x1_0000_0000);
    const first = mixBelow(this.#groupSeed, group, 0, users);
    return Array.from({ length: this.groupSize(group) }, (_, place) => (first + place * stride) % users);
  }

  membersOf(conversation: number): number[] {
    if (this.isDirect(conversation)) return [...this.directPeers(conversation)];
    return this.groupMembers(conversation - this.directCount);
  }

  /** For every user that `owns` accepts, the groups it is in. One pass over all groups. */
  groupsOfUsers(owns: (user: number) => boolean): Map<number, number[]> {
    const groups = new Map<number, number[]>();
    for (let group = 0; group < this.groupCount; group++) {
      for (const user of this.groupMembers(group)) {
        if (!owns(user)) continue;
        const list = groups.get(user);
        if (list === undefined) groups.set(user, [group]);
        else list.push(group);
      }
    }
    return groups;
  }

  #classOf(group: number): number {
    assert(group >= 0 && group < this.groupCount, `group ${group}`);
    return this.#classStarts.findIndex((start) => start > group) - 1;
  }

  #derivedId(index: number, purpose: number): Uuid {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    const timeMs = epochMs + index;
    view.setUint32(0, Math.floor(timeMs / 0x1_0000));
    view.setUint16(4, timeMs % 0x1_0000);
    view.setUint16(6, 0x7000 | (mix32(this.#idSeed, index, purpose * 8) & 0x0fff));
    view.setUint32(8, ((mix32(this.#idSeed, index, purpose * 8 + 1) & 0x3fff_ffff) | 0x8000_0000) >>> 0);
    view.setUint32(12, mix32(this.#idSeed, index, purpose * 8 + 2));
    return formatUuid(bytes);
  }
}

/** Why a population cannot exist, in words; empty when it can. */
export function problemsOfPopulation(spec: PopulationSpec): string[] {
  const problems: string[] = [];
  if (spec.contacts >= spec.users) problems.push(`${spec.contacts} contacts need at least ${spec.contacts + 1} users`);
  else if (spec.contacts % 2 === 1 && spec.users % 2 === 1)
    problems.push("an odd number of contacts needs an even number of users");
  for (const group of spec.groups) {
    if (group.members > spec.users) problems.push(`groups of ${group.members} need at least ${group.members} users`);
  }
  if (new Set(spec.groups.map((group) => group.members)).size < spec.groups.length)
    problems.push("two group classes of the same size");
  return problems;
}
