import type { Random } from "../../src/base/random.ts";
import { createMachineConfig } from "../../src/client/machine/config.ts";
import { DeviceMachine } from "../../src/client/machine/machine.ts";
import type { Change, ClientEvent, Effects, MachineConfig } from "../../src/client/machine/types.ts";
import { StoredState } from "../../src/client/storage/stored-state.ts";
import type { PageRow } from "../../src/protocol/fields.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import type { ModelServer } from "./model-server.ts";
import type { VirtualTime } from "./virtual-time.ts";

/**
 * One device of the model world: the real machine, a link to the model server, and a disk that becomes durable later.
 * `kill` loses the process and what was not durable; the next `start` restores the rest.
 */
export class ModelDevice implements Effects {
  readonly user: Uuid;
  readonly device: number;
  machine!: DeviceMachine;
  readonly events: ClientEvent[] = [];
  readonly shown: { readonly life: number; readonly event: Extract<ClientEvent, { type: "rows" }> }[] = [];
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #server: ModelServer;
  readonly #config: MachineConfig;
  readonly #diskDelayMsMax: number;
  #changes: Change[] = [];
  #durable = 0;
  /** What the process that died before had made durable. */
  #disk: readonly Change[] = [];
  #life = 0;
  #connection: ReturnType<ModelServer["connect"]> | undefined = undefined;
  #wake: { cancel(): void } | undefined = undefined;

  constructor(parts: {
    time: VirtualTime;
    random: Random;
    server: ModelServer;
    user: Uuid;
    device: number;
    /** 0 = durable at once. */
    diskDelayMsMax: number;
    config?: Partial<MachineConfig>;
  }) {
    this.user = parts.user;
    this.device = parts.device;
    this.#time = parts.time;
    this.#random = parts.random;
    this.#server = parts.server;
    this.#diskDelayMsMax = parts.diskDelayMsMax;
    this.#config = createMachineConfig(parts.config);
    this.start();
  }

  get nowMs(): number {
    return this.#time.nowMs;
  }

  start(): void {
    const environment = { effects: this, random: this.#random, config: this.#config };
    const stored = stateOf(this.#disk).device();
    this.machine = new DeviceMachine(
      environment,
      { owner: this.#life, userId: this.user, device: this.device },
      stored,
    );
    this.machine.start(this.#time.nowMs);
  }

  kill(): void {
    this.#disk = [...this.#disk, ...this.#changes.slice(0, this.#durable)];
    this.#changes = [];
    this.#durable = 0;
    this.#life++;
    this.#wake?.cancel();
    this.cut(false);
  }

  /** Ends the connection from outside; the machine hears of it unless the process is dead anyway. */
  cut(tell = true): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    this.#server.close(connection);
    if (tell) this.machine.disconnected(this.#time.nowMs, 1006);
  }

  /** Rows that are durable, or with `all` also those that are not yet. */
  rows(conversationId: Uuid, all = true): readonly PageRow[] {
    const changes = all ? this.#changes : this.#changes.slice(0, this.#durable);
    return stateOf([...this.#disk, ...changes]).rows(conversationId, Number.MAX_SAFE_INTEGER);
  }

  /** Whether the disk has ever been told of this message. */
  hasStored(messageId: Uuid): boolean {
    const durable = [...this.#disk, ...this.#changes.slice(0, this.#durable)];
    return durable.some((change) => change.outboxPut?.messageId === messageId);
  }

  send(owner: number, frame: Parameters<Effects["send"]>[1]): void {
    const connection = this.#connection;
    if (owner !== this.#life || connection === undefined) return;
    this.#time.schedule(0, () => this.#server.take(connection, frame));
  }

  persist(_owner: number, change: Change): boolean {
    this.#changes.push(structuredClone(change));
    if (this.#diskDelayMsMax === 0) {
      this.#durable = this.#changes.length;
      return true;
    }
    const life = this.#life;
    const count = this.#changes.length;
    this.#time.schedule(this.#random.float() * this.#diskDelayMsMax, () => {
      if (life !== this.#life || count <= this.#durable) return;
      this.#durable = count;
      this.machine.durable(this.#time.nowMs, count);
    });
    return false;
  }

  wake(owner: number, atMs: number): void {
    this.#wake?.cancel();
    this.#wake = this.#time.schedule(atMs - this.#time.nowMs, () => {
      if (owner === this.#life) this.machine.tick(this.#time.nowMs);
    });
  }

  emit(owner: number, event: ClientEvent): void {
    this.events.push(event);
    if (event.type === "rows") this.shown.push({ life: owner, event });
  }

  connect(owner: number): void {
    this.#time.schedule(1 + this.#random.float() * 10, () => {
      if (owner !== this.#life || this.machine.connectionState !== "connecting") return;
      const connection = this.#server.connect(this.user, this.device, (frame) => {
        if (this.#connection === connection) this.machine.frame(this.#time.nowMs, frame);
      });
      this.#connection = connection;
      this.machine.connected(this.#time.nowMs);
    });
  }

  disconnect(): void {
    this.cut(false);
  }
}

function stateOf(changes: readonly Change[]): StoredState {
  const state = new StoredState();
  for (const change of changes) state.apply(change);
  return state;
}
