import { expect, test } from "vitest";
import { createMemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import { caller, createDeliveryCore, textDraft } from "../../../test/helpers/core-ports/delivery-core.ts";
import { createGroupNames } from "./group-names.ts";

test("the name of a group that is written to costs no read, and is never the one before a rename", async () => {
  const world = createMemoryWorld();
  const { lanes, groups, delivery } = createDeliveryCore(world);
  const nameOf = createGroupNames(world.groups, lanes.context.directory);
  const [ann, bob, groupId] = [world.user(), world.user(), world.id()];
  let loads = 0;
  const load = world.groups.load.bind(world.groups);
  world.groups.load = (id) => {
    loads++;
    return load(id);
  };
  expect(await nameOf(groupId)).toBeUndefined();
  await groups.change(caller(ann), groupId, world.id(), 0, { kind: "create", name: "trip", userIds: [bob] });
  await delivery.send(caller(ann), delivery.createGate(), textDraft(world, { conversation: groupId }, 1));
  loads = 0;
  expect(await nameOf(groupId)).toBe("trip");
  expect(loads).toBe(0);
  await groups.change(caller(ann), groupId, world.id(), 1, { kind: "rename", name: "hike" });
  expect(await nameOf(groupId)).toBe("hike");
});
