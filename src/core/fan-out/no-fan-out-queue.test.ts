import { expect, test } from "vitest";
import { caller, createDeliveryCore } from "../../../test/helpers/core-ports/delivery-core.ts";
import { LargeGroup } from "../../../test/helpers/core-ports/large-group.ts";
import { limits } from "../../protocol/limits.ts";
import { NoFanOutQueue } from "./no-fan-out-queue.ts";

const { membersDirectFanOutMax: membersMax } = limits;

/** The same stores as the group's own, without a queue. */
function queueless(group: LargeGroup) {
  return createDeliveryCore(group.world, { ports: { ...group.world.ports(), fanOut: new NoFanOutQueue() } });
}

test("without a queue a group grows as far as a send reaches, and no further", async () => {
  const group = await LargeGroup.create(membersMax - 1);
  const core = queueless(group);
  const add = (version: number) =>
    core.groups.change(caller(group.owner), group.groupId, group.world.id(), version, {
      kind: "add",
      userIds: [group.world.user()],
    });
  expect((await add(1)).members.length).toBe(membersMax);
  await expect(add(2)).rejects.toMatchObject({
    code: "too_many_members",
    temporary: false,
    message: expect.stringContaining(`${membersMax} members`) as string,
  });
  expect(await group.send(group.owner, group.draft(2), core)).toMatchObject({ seq: 3 });
  expect(group.listed(3)).toBe(membersMax - 1);
});

test("a group that is larger already is refused before anything is written, and goes on where there is a queue", async () => {
  const group = await LargeGroup.create(membersMax + 1);
  const message = group.draft(1);
  const refused = { code: "store_unavailable", undecided: false };
  await expect(group.send(group.owner, message, queueless(group))).rejects.toMatchObject(refused);
  expect(group.world.log.headOf(group.groupId)?.head).toBe(1);
  expect(await group.send(group.owner, message)).toMatchObject({ seq: 2 });
});
