import { checkAckedInLog } from "../../src/bench/ledger/check-acked-in-log.ts";
import { checkDistinct } from "../../src/bench/ledger/check-distinct.ts";
import { checkOrder } from "../../src/bench/ledger/check-order.ts";
import { FaultList, faults } from "../../src/bench/ledger/faults.ts";
import type { LogRow as LedgerRow } from "../../src/bench/ledger/types.ts";
import { counts, type Conversation } from "./truth.ts";
import type { World } from "./world.ts";

/** I1, I2, I3 of every log, by the checkers that judge real runs; and that each log is well-formed in itself. */
export function checkLogs(world: World, conversations: readonly Conversation[]): void {
  const found = new FaultList();
  for (const conversation of conversations) {
    const { conversationId, name, rows } = conversation;
    const sent = [...world.witness.sent.values()].filter((record) => record.conversationId === conversationId);
    const messages = sent.map((record) => ({ ...record, sender: record.device, n: record.refused ? 0 : record.n }));
    const log = rows.map((row): LedgerRow => {
      const record = world.witness.sent.get(row.messageId);
      const user = row.senderId;
      return {
        seq: row.seq,
        id: row.messageId,
        sender: record?.device ?? "",
        user,
        n: record === undefined || record.refused ? 0 : record.n,
        countable: counts(row),
      };
    });
    checkAckedInLog({ conversation: name, sent: messages, log, lists: [] }, found);
    checkDistinct(name, log, messages, found);
    checkOrder({ conversation: name, log, sent: messages }, found);
    checkRows(world, conversation);
  }
  for (const { fault, detail } of found.report().cases) world.witness.blame(faults[fault], detail);
  checkFates(world, conversations);
  checkChanges(world, conversations);
}

function checkRows(world: World, { name, kind, rows }: Conversation): void {
  let ucount = 0;
  let sentAt = 0;
  for (const row of rows) {
    if (counts(row)) ucount++;
    if (row.ucount !== ucount)
      world.witness.blame("log", `${name} counts ${row.ucount} at seq ${row.seq}, not ${ucount}`);
    if (row.sentAt < sentAt) world.witness.blame("log", `${name}: sent_at falls at seq ${row.seq}`);
    if (kind === "group" && row.visibility === 1) world.witness.blame("log", `${name} hides seq ${row.seq}`);
    sentAt = row.sentAt;
  }
}

/** Whatever was durable on its device has found an answer; what was not never left it. */
function checkFates(world: World, conversations: readonly Conversation[]): void {
  const ids = new Set(conversations.flatMap(({ rows }) => rows.map((row) => row.messageId)));
  for (const record of world.witness.sent.values()) {
    const device = world.devices.find((each) => each.name === record.device);
    const name = `${world.witness.names.of(record.id, "m")} of ${record.device} in ${world.witness.names.of(record.conversationId)}`;
    const remembered = device?.remembers(record.id) === true;
    if (device === undefined) continue;
    if (!remembered && ids.has(record.id)) world.witness.blame("I1", `${name} was sent before it was durable`);
    // Of unknown fate it is its user's: the device has said all that it can know.
    const entry = device.machine?.outbox().find(({ messageId }) => messageId === record.id);
    const isOpen = entry === undefined || entry.state === "pending";
    if (remembered && record.outcome === "undecided" && isOpen && !world.resolvedIds.has(record.id)) {
      world.witness.blame("progress", `${name} has no answer`);
    }
  }
}

/** Every change stands in the log once, in the order of versions, and who was told so was told the truth. */
function checkChanges(world: World, conversations: readonly Conversation[]): void {
  const { groups } = world.stores;
  for (const groupId of world.groupIds) {
    const rows = conversations.find((each) => each.conversationId === groupId)?.rows ?? [];
    const name = world.witness.names.of(groupId);
    let last = 0;
    for (const change of groups.changesOf(groupId)) {
      const found = rows.filter((row) => row.messageId === change.messageId);
      const seq = found[0]?.seq ?? 0;
      if (found.length !== 1)
        world.witness.blame("I2", `change v${change.version} of ${name} stands ${found.length} times`);
      if (seq <= last) world.witness.blame("I3", `change v${change.version} of ${name} at seq ${seq} after ${last}`);
      if (change.seq !== seq)
        world.witness.blame("log", `change v${change.version} of ${name}: seq ${change.seq}, log ${seq}`);
      last = seq;
    }
    const conversation = conversations.find((each) => each.conversationId === groupId);
    const settled = groups.intervalsOf(groupId);
    for (const [userId, intervals] of conversation?.members ?? []) {
      const told = settled.filter((interval) => interval.userId === userId);
      const text = JSON.stringify(told.map(({ joinedSeq, leftSeq }) => ({ joinedSeq, leftSeq })));
      if (text === JSON.stringify(intervals)) continue;
      world.witness.blame(
        "log",
        `${name}: ${world.witness.names.of(userId)} has ${text}, log ${JSON.stringify(intervals)}`,
      );
    }
    const answered = world.answeredChanges.filter((each) => each.groupId === groupId);
    for (const { messageId } of answered) {
      if (!rows.some((row) => row.messageId === messageId))
        world.witness.blame("I1", `an answered change of ${name} is lost`);
    }
  }
}
