import { describe, expect, test } from "vitest";
import { group, registersOf, ScriptedMachine } from "../../../test/helpers/scripted-machine.ts";

const created = {
  type: "CONVERSATION_UPDATE",
  conversation_id: group,
  kind: "group",
  change: "created",
  registers: registersOf({ last_seq: 1 }),
} as const;

/** The id of a group, by its number. */
const groupAt = (index: number): string => `00000000-0009-7000-8000-${String(index).padStart(12, "0")}`;

describe("opening a group", () => {
  test("pulls who got and read what, at once when the group is known", () => {
    const device = ScriptedMachine.ready();
    device.hear(created);
    device.machine.openConversation(0, group);
    expect(device.sentOf("RECEIPTS")).toMatchObject([{ conversation_id: group }]);
  });

  test.each<[string, (device: ScriptedMachine) => void]>([
    ["an update", (device) => device.hear(created)],
    ["a row", (device) => device.push(1, group)],
    ["a sync", (device) => device.sync(group, 1, 1, { last_seq: 1 })],
  ])("that is not known yet pulls once, when %s shows it", (_what, show) => {
    const device = ScriptedMachine.ready();
    device.machine.openConversation(0, group);
    expect(device.sentOf("RECEIPTS")).toEqual([]);
    show(device);
    expect(device.sentOf("RECEIPTS")).toMatchObject([{ conversation_id: group }]);
    device.push(2, group);
    expect(device.sentOf("RECEIPTS")).toHaveLength(1);
  });

  test("and closing it before it is known pulls nothing, then or on the next connection", () => {
    const device = ScriptedMachine.ready({ backoffMinMs: 1, backoffMaxMs: 1 });
    device.machine.openConversation(0, group);
    device.machine.closeConversation(0, group);
    device.hear(created);
    device.machine.disconnected(device.nowMs, 1006);
    device.pass(2);
    device.greet();
    expect(device.sentOf("RECEIPTS")).toEqual([]);
  });

  test("outlives the connection on which it was asked for", () => {
    const device = ScriptedMachine.ready({ backoffMinMs: 1, backoffMaxMs: 1 });
    device.machine.openConversation(0, group);
    device.machine.disconnected(device.nowMs, 1006);
    device.pass(2);
    device.greet();
    device.sync(group, 1, 1, { last_seq: 1 });
    expect(device.sentOf("RECEIPTS")).toMatchObject([{ conversation_id: group }]);
  });

  test("of too many that are not known forgets those that were opened first", () => {
    const device = ScriptedMachine.ready();
    for (let index = 0; index < 65; index++) device.machine.openConversation(0, groupAt(index));
    for (let index = 0; index < 65; index++) device.hear({ ...created, conversation_id: groupAt(index) });
    const pulled = device.sentOf("RECEIPTS").map((frame) => frame.conversation_id);
    expect(pulled).toEqual(Array.from({ length: 64 }, (_, index) => groupAt(index + 1)));
  });
});
