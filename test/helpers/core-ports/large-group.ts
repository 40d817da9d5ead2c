import { present } from "../../../src/base/assert.ts";
import type { CorePorts, GroupRequest, MessageDraft } from "../../../src/core/api.ts";
import { createFanOutWorkers, type FanOutWorkers } from "../../../src/core/fan-out/create-fan-out-workers.ts";
import type { Group, ListRow } from "../../../src/core/model.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { createMemoryWorld, type MemoryWorld } from "./core-ports.ts";
import { caller, createDeliveryCore, textDraft, type DeliveryCore } from "./delivery-core.ts";
import { ScriptedWeather } from "./scripted-weather.ts";

/** A group in a world of its own, with delivery on it and workers that a test starts when it wants them. */
export class LargeGroup {
  readonly weather = new ScriptedWeather();
  readonly world: MemoryWorld = createMemoryWorld({ weather: this.weather, bucketRows: limits.bucketRows });
  readonly core: DeliveryCore = createDeliveryCore(this.world);
  readonly members: readonly Uuid[];
  readonly groupId: Uuid;
  /** How each piece of work of any worker ended. */
  readonly outcomes: string[] = [];

  private constructor(size: number) {
    this.members = Array.from({ length: size }, () => this.world.user());
    this.groupId = this.world.id();
  }

  static async create(size = limits.membersDirectFanOutMax + 1): Promise<LargeGroup> {
    const group = new LargeGroup(size);
    await group.change(group.owner, 0, { kind: "create", name: "crowd", userIds: group.members.slice(1) });
    await group.drain();
    group.world.hub.deliveries.length = 0;
    return group;
  }

  get owner(): Uuid {
    return this.member(0);
  }

  member(index: number): Uuid {
    return present(this.members[index], "a member");
  }

  change(actor: Uuid, version: number, request: GroupRequest): Promise<Group> {
    return this.core.groups.change(caller(actor), this.groupId, this.world.id(), version, request);
  }

  draft(since: number): MessageDraft {
    return textDraft(this.world, { conversation: this.groupId }, since);
  }

  send(from: Uuid, message: MessageDraft, server = this.core) {
    return server.delivery.send(caller(from), server.delivery.createGate(), message);
  }

  rowOf(userId: Uuid): ListRow {
    return present(this.world.lists.rowOf(userId, this.groupId), "list row");
  }

  /** How many members have `seq` as the last row. */
  listed(seq: number): number {
    return this.members.filter((userId) => this.world.lists.rowOf(userId, this.groupId)?.lastSeq === seq).length;
  }

  /** To whom the row was pushed, as often as it was. */
  pushed(seq: number): readonly Uuid[] {
    return this.world.hub.deliveries.flatMap(({ frame, userIds }) =>
      frame.type === "NEW_MESSAGE" && frame.seq === seq ? userIds : [],
    );
  }

  /** Lets everything that can go on without time go on, then `ms` pass. */
  async settle(ms = 0): Promise<void> {
    for (let passed = 0; passed <= ms; passed += 50) {
      await new Promise(setImmediate);
      if (ms > 0) this.world.clock.advance(50);
    }
  }

  async startWorkers(ports: CorePorts = this.world.ports()): Promise<FanOutWorkers> {
    const workers = createFanOutWorkers({ ...ports, observe: (outcome) => this.outcomes.push(outcome) });
    await workers.start();
    return workers;
  }

  /** Serves everything that waits, and stops again. */
  async drain(): Promise<void> {
    const workers = await this.startWorkers();
    while ((await this.world.fanOut.lag()).jobsWaiting > 0) await this.settle(200);
    await workers.stop();
  }
}
