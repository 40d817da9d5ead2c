import type { GroupRequest } from "../../src/core/api.ts";
import type { Group, GroupRole } from "../../src/core/model.ts";
import { directConversationId, type Uuid } from "../../src/protocol/ids.ts";
import { WireError } from "../../src/protocol/wire-errors.ts";
import type { SimDevice } from "./device.ts";
import type { ActionKind } from "./plan.ts";
import type { World } from "./world.ts";

/**
 * What users do and what befalls machines, drawn one after the other. Nothing here waits for what it starts: calls by
 * HTTP go on in the background until they have an answer, as the next actions happen.
 */
export function planActions(world: World): number {
  const { plan, scheduler } = world;
  for (let index = 0; index < plan.groups; index++) createGroup(world);
  const kinds = Object.keys(plan.weights) as ActionKind[];
  const total = kinds.reduce((sum, kind) => sum + plan.weights[kind], 0);
  let at = 500;
  for (let index = 0; index < plan.actions; index++) {
    at += -Math.log(1 - scheduler.random.float()) * plan.paceMs;
    let drawn = scheduler.random.float() * total;
    const kind = kinds.find((each) => (drawn -= plan.weights[each]) < 0) ?? "send";
    scheduler.after(at, () => {
      scheduler.mark(kind, index);
      actions[kind](world, scheduler.pick(world.devices));
    });
  }
  return at;
}

const actions: Readonly<Record<ActionKind, (world: World, device: SimDevice) => void>> = {
  send(world, device) {
    const to = drawTarget(world, device);
    for (let left = 1 + world.scheduler.below(3); left > 0; left--) device.write(to);
  },
  read(world, device) {
    const conversationId = world.scheduler.pick(conversationsOf(world, device));
    const head = device.machine?.conversation(conversationId)?.head ?? 0;
    if (head > 0) device.view(conversationId, world.scheduler.chance(0.7) ? head : 1 + world.scheduler.below(head));
  },
  group(world) {
    if (world.groupIds.length > 0) changeGroup(world, world.scheduler.pick(world.groupIds));
  },
  block: (world) => toggleBlock(world),
  quarrel: (world) => quarrel(world),
  cut({ scheduler }, device) {
    device.link?.cut(scheduler.between(0, 2_000), scheduler.between(0, 2_000));
  },
  roam: (world, device) => roam(world, device),
  deafen({ scheduler }, { link }) {
    // What a direction has swallowed it never delivers: it stays deaf for the rest of its life.
    if (link === undefined || link.upDeaf || link.downDeaf) return;
    link.upDeaf = scheduler.chance(0.6);
    link.downDeaf = !link.upDeaf || scheduler.chance(0.5);
  },
  crash(world, device) {
    world.witness.note(() => `${device.name} crashes`);
    device.crash();
    world.scheduler.after(world.scheduler.between(0, 5_000), () => device.start());
  },
  away(world, device) {
    const { machine } = device;
    machine?.stop(world.scheduler.nowMs);
    world.scheduler.after(world.scheduler.between(100, 15_000), () => world.wakeDevice(device));
  },
  link(world) {
    const userId = world.scheduler.pick(world.users);
    if (world.devices.filter((device) => device.userId === userId).length < 3) world.linkDevice(userId);
  },
  lose(world, device) {
    if (world.devices.filter((each) => each.userId === device.userId).length < 4) world.loseDevice(device);
  },
  pauseNode(world) {
    const { scheduler, nodes } = world;
    // Some longer than a lease lives.
    world.pauseNode(scheduler.below(nodes.length), scheduler.between(200, scheduler.chance(0.3) ? 40_000 : 12_000));
  },
  killNode(world) {
    world.killNode(world.scheduler.below(world.nodes.length), world.scheduler.between(0, 4_000));
  },
  blackout(world, device) {
    actions.send(world, device);
    world.blackout();
    if (world.scheduler.chance(0.7)) world.scheduler.after(300, () => world.loseDevice(device));
  },
  drainNode({ scheduler, nodes }) {
    const node = scheduler.pick(nodes);
    if (scheduler.chance(0.5)) node.drain();
    else node.shed();
  },
  flushRedis({ stores, witness }) {
    witness.note(() => "FLUSHALL");
    stores.redis.memory.flush();
  },
  stopRedis({ stores, scheduler, witness }) {
    const keeps = scheduler.pick(["all", "nothing", "older"] as const);
    witness.note(() => `Redis stops, and comes back with ${keeps}`);
    stores.redis.stop(scheduler.between(0, scheduler.chance(0.3) ? 30_000 : 4_000), keeps);
  },
  hangRedis({ stores, scheduler, witness }) {
    witness.note(() => "Redis hangs");
    stores.redis.hang(scheduler.between(100, 6_000));
  },
  cutRedis({ nodes, scheduler, witness }) {
    const node = scheduler.pick(nodes);
    witness.note(() => `${node.nodeId} loses Redis`);
    node.loseRedis();
  },
  history(world, { machine }) {
    const ids = [...(machine?.conversationIds() ?? [])];
    if (ids.length > 0) machine?.loadHistory(world.scheduler.nowMs, world.scheduler.pick(ids), 4);
  },
  open(world, { machine }) {
    const ids = [...(machine?.conversationIds() ?? [])];
    if (ids.length > 0) machine?.openConversation(world.scheduler.nowMs, world.scheduler.pick(ids));
  },
  resend(world, device) {
    world.resolveOf(device);
  },
  flood: (world, device) => flood(world, device),
};

/** Groups most of the time, since more can go wrong there; now and then a note to oneself. */
function drawTarget(world: World, device: SimDevice): { readonly user: Uuid } | { readonly conversation: Uuid } {
  const { scheduler, groupIds, users } = world;
  if (groupIds.length > 0 && scheduler.chance(0.5)) return { conversation: scheduler.pick(groupIds) };
  if (scheduler.chance(0.05)) return { user: device.userId };
  return { user: scheduler.pick(users.filter((userId) => userId !== device.userId)) };
}

function conversationsOf(world: World, device: SimDevice): readonly Uuid[] {
  return [...world.groupIds, ...world.users.map((userId) => directConversationId(device.userId, userId))];
}

function createGroup(world: World): void {
  const { scheduler, users } = world;
  const groupId = world.newId();
  world.groupIds.push(groupId);
  world.witness.names.give(groupId, `g${world.groupIds.length}`);
  const [owner, ...others] = users;
  if (owner === undefined) return;
  const userIds = others.filter((_userId, index) => index === 0 || scheduler.chance(0.7));
  void submit(world, owner, groupId, 0, { kind: "create", name: "group", userIds });
}

/** Somebody who thinks to be in the group asks for its state, then for a change of it. */
function changeGroup(world: World, groupId: Uuid): void {
  const actor = world.scheduler.pick(world.users);
  void world
    .insist((core) => core.groups.get({ userId: actor, device: 1 }, groupId))
    .then((group) => {
      if (group === undefined || group instanceof WireError) return undefined;
      return submit(world, actor, groupId, group.membership, drawChange(world, actor, group));
    });
}

function drawChange(world: World, actor: Uuid, group: Group): GroupRequest {
  const { scheduler, users } = world;
  const members = group.members.map((member) => member.userId).filter((userId) => userId !== actor);
  const strangers = users.filter((userId) => userId !== actor && !members.includes(userId));
  const drawn = scheduler.random.float();
  if (strangers.length > 0 && drawn < 0.5) return { kind: "add", userIds: [scheduler.pick(strangers)] };
  if (members.length > 0 && drawn < 0.75) return { kind: "remove", userIds: [scheduler.pick(members)] };
  if (members.length > 0 && drawn < 0.85) {
    const role: GroupRole = scheduler.pick(["owner", "admin", "member"]);
    return { kind: "role", userIds: [scheduler.pick(members)], role };
  }
  return drawn < 0.93 ? { kind: "leave" } : { kind: "rename", name: `group ${Math.floor(scheduler.nowMs)}` };
}

async function submit(world: World, actor: Uuid, groupId: Uuid, version: number, request: GroupRequest): Promise<void> {
  const messageId = world.newId();
  const caller = { userId: actor, device: 1 };
  const { witness } = world;
  const name = `${witness.names.of(actor)} ${request.kind} in ${witness.names.of(groupId)} v${version}`;
  witness.note(() => `${name}: ${JSON.stringify(request)}`);
  const answer = await world.insist((core) => core.groups.change(caller, groupId, messageId, version, request));
  witness.note(() => `${name}: ${answer instanceof WireError ? answer.code : `v${answer?.membership}`}`);
  if (answer !== undefined && !(answer instanceof WireError) && answer.membership > version) {
    world.answeredChanges.push({ groupId, messageId });
  }
}

/** Blocks somebody, or ends the block. */
function toggleBlock(world: World): void {
  const { scheduler, users } = world;
  const owner = scheduler.pick(users);
  changeBlock(world, owner, scheduler.pick(users.filter((userId) => userId !== owner)), scheduler.chance(0.6));
}

/** What an attempt without an answer did is judged no more. */
function changeBlock(world: World, owner: Uuid, other: Uuid, blocked: boolean): void {
  const { witness } = world;
  if (world.blocksInDoubt.has(owner + other)) return;
  witness.blocks(owner, other, "unknown");
  world.blocksInDoubt.add(owner + other);
  let doubt = false;
  void world
    .insist(
      (core) => core.people.block({ userId: owner, device: 1 }, other, blocked),
      () => (doubt = true),
    )
    .then((answer) => {
      if (doubt || answer instanceof WireError) return;
      witness.note(() => `${witness.names.of(owner)} ${blocked ? "blocks" : "admits"} ${witness.names.of(other)}`);
      witness.blocks(owner, other, blocked ? "blocked" : "open");
      world.blocksInDoubt.delete(owner + other);
    });
}

/** Somebody is blocked in the middle of a chat and goes on writing, to a process that knew them for friends a moment ago. */
function quarrel(world: World): void {
  const { scheduler, users } = world;
  const owner = scheduler.pick(users);
  const other = scheduler.pick(users.filter((userId) => userId !== owner));
  const write = (): void => {
    for (const device of world.devices) if (device.userId === other) device.write({ user: owner });
  };
  write();
  scheduler.after(scheduler.between(300, 1_500), () => changeBlock(world, owner, other, true));
  for (const atMs of [3_500, 5_500]) scheduler.after(atMs, write);
  scheduler.after(scheduler.between(6_000, 10_000), () => changeBlock(world, owner, other, false));
}

/** More than may be sent at once, to two chats by turns, in one of which the others write as well and keep its lane busy. */
function flood(world: World, device: SimDevice): void {
  const { scheduler, devices } = world;
  const [busy, other] = [drawTarget(world, device), drawTarget(world, device)];
  for (const each of devices) {
    if (each === device || ("user" in busy && each.userId !== busy.user)) continue;
    scheduler.after(scheduler.between(0, 1_000), () => each.write("user" in busy ? { user: device.userId } : busy));
  }
  const lastsMs = scheduler.pick([500, 1_500, 5_000]);
  for (let left = 5 + scheduler.below(5); left > 0; left--) {
    const to = scheduler.chance(0.7) ? busy : other;
    scheduler.after(scheduler.between(0, lastsMs), () => device.write(to));
  }
}

/**
 * A device connects to a process that stands still, and changes networks before it has an answer: its HELLO waits there while
 * it connects elsewhere, and nobody tells that process that the connection is over.
 */
function roam(world: World, device: SimDevice): void {
  const { scheduler, nodes } = world;
  const index = scheduler.below(nodes.length);
  const node = nodes[index];
  if (node === undefined || !node.takes || node.paused) return;
  world.pauseNode(index, scheduler.between(1_000, 8_000));
  device.connectNextTo(node);
  device.link?.cut(0, scheduler.between(0, 2_000));
  scheduler.after(scheduler.between(500, 2_500), () => {
    if (device.connectsTo(node)) device.link?.cut(0, undefined);
  });
}
