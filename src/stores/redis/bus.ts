import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import { createDeferred } from "../../base/deferred.ts";
import type { Bus, Delivery, Hearing, Notice } from "../../core/ports/bus.ts";
import { decodeBatch, encodeBatch, encodeDisplaced, encodeNotice, encodePresence, type Batch } from "./bus-batch.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { RedisClient } from "./connect.ts";
import { Echo } from "./echo.ts";
import { answered } from "./errors.ts";
import { GapDetector } from "./gap-detector.ts";
import { leaseTtlMs, type NodeLease } from "./lease.ts";
import type { Losses } from "./losses.ts";
import { connectionOf, parseClaim, Peers } from "./peers.ts";
import { Router } from "./router.ts";

export interface BusOptions {
  readonly clock: Clock;
  readonly losses: Losses;
  /** A connection of this process was followed by one of the device elsewhere. */
  readonly onDisplaced: (userId: Uuid, device: number, connection: string) => void;
  /** The presence of these users changed elsewhere. */
  readonly onPresence: (userIds: readonly Uuid[]) => void;
  /** Told of what failed in the background; must not throw. */
  readonly onError: (error: unknown) => void;
  /** Runs something at the end of this turn of the event loop: setImmediate, unless time is simulated. */
  readonly soon?: (run: () => void) => void;
}

/**
 * A process that was not heard for this long may have died between an append and its push, and those who are connected
 * here miss the last message of a chat until they sync. Five beacons: a stall of some seconds goes unnoticed, and a longer
 * one that was none (SIGSTOP, a stopped virtual machine) costs each connection here one RESYNC, spread over 2 s, and nothing
 * else. It is told once for each silence.
 */
export const peerSilentMs = 5_000;
/** By then its lease has ended as well: if it speaks again, it begins anew. */
const peerGoneMs = leaseTtlMs;
/** A process that is paused does not answer, and must not keep others from starting. */
const helloPatienceMs = 1_000;
/** Without the own echo for this long the listening connection is dead, whatever its socket says. */
const echoSilentMs = 5_000;

/**
 * From this process to the connections of users on any process.
 *
 * What is delivered reaches the own receiver at once, in the caller's turn. For the others it is looked up where the users
 * are connected, gathered for each process (outbox.ts) and published on that process's own sharded channel, node:{id}.
 * Everything of a turn travels together. Frames may be lost, and then all who miss something hear of it: batches are
 * numbered (gap-detector.ts), each second a beacon repeats the last number, and a listening connection that was cut, or
 * does not hear its own echo, counts as a loss.
 *
 * A notice goes to everybody at once, on one channel: who listens is known to Redis alone, so that nobody is left out who
 * was not met yet. Redis's answer says that it is on its way to all of them, and each of them proves by its echo
 * (echo.ts) up to when it has heard everything.
 *
 *   idle ──start()──▶ listening ──subscription cut──▶ deaf ──subscribed again: a loss──▶ listening      stop() ends it
 */
export class RedisBus implements Bus {
  readonly #redis: RedisClient;
  readonly #lease: NodeLease;
  readonly #options: BusOptions;
  readonly #peers: Peers;
  readonly #router: Router;
  readonly #gaps: GapDetector;
  readonly #soon: (run: () => void) => void;
  #receiver: Parameters<Bus["subscribe"]>[0] | undefined;
  #state: "idle" | "listening" | "deaf" | "stopped" = "idle";
  readonly #echo: Echo;
  #noticesDropped = 0;
  /** Processes that have not answered the first hello yet. */
  #unmet = new Set<string>();
  readonly #allMet = createDeferred<void>();

  constructor(redis: RedisClient, lease: NodeLease, options: BusOptions) {
    this.#redis = redis;
    this.#lease = lease;
    this.#options = options;
    this.#gaps = new GapDetector(lease.epoch);
    this.#peers = new Peers(lease, {
      publish: (node, text) => this.#publish(node, text),
      onError: options.onError,
    });
    this.#echo = new Echo({
      clock: options.clock,
      losses: options.losses,
      say: (text) => this.#publish(lease.node, text),
      epoch: () => lease.epoch,
    });
    this.#soon = options.soon ?? setImmediate;
    this.#router = new Router(redis, this.#peers, { onError: options.onError, soon: this.#soon });
    lease.onRestart((reason) => this.#restart(reason));
    // Whoever is connected here is found by nobody any more, and has to go elsewhere.
    lease.onTaken((reason) => options.losses.raise(reason));
  }

  get isListening(): boolean {
    return this.#state === "listening";
  }

  /** Deliveries and notices that were not sent, so far. */
  get dropped(): number {
    return this.#peers.dropped + this.#noticesDropped;
  }

  /** What waits to be looked up or published. */
  get waiting(): { readonly entries: number; readonly bytes: number } {
    let [entries, bytes] = [this.#router.waiting, 0];
    for (const { waiting } of this.#peers.all()) {
      entries += waiting.entries;
      bytes += waiting.bytes;
    }
    return { entries, bytes };
  }

  subscribe(receiver: Parameters<Bus["subscribe"]>[0]): void {
    assert(this.#receiver === undefined, "a bus has one receiver");
    this.#receiver = receiver;
  }

  deliver(delivery: Delivery): void {
    this.#receive((receiver) => receiver.deliver(delivery));
    if (this.#state !== "stopped") this.#router.route(delivery);
  }

  async announce(notice: Notice): Promise<boolean> {
    this.#receive((receiver) => receiver.notice(notice));
    if (this.#state === "stopped") return false;
    const { node: from, epoch: fromEpoch } = this.#lease;
    const text = encodeBatch({ kind: "notice", from, fromEpoch, toEpoch: "", counter: 0 }, [encodeNotice(notice)]);
    try {
      await answered(this.#redis.commands.spublish(this.#redis.keys.notices, text));
      return true;
    } catch (error) {
      this.#noticesDropped++;
      this.#options.onError(error);
      return false;
    }
  }

  hearing(): Hearing {
    return this.#echo.hearing;
  }

  /** Tells the process of `owner`, node:epoch:connection, that the device is connected here now. */
  displace(owner: string, userId: Uuid, device: number): void {
    const outbox = this.#peers.find(owner);
    outbox?.add(encodeDisplaced(userId, device, connectionOf(owner)));
    outbox?.flush();
  }

  /** Tells the process of `claim`, node:epoch, that the presence of these users changed. */
  tellPresence(claim: string, userIds: readonly Uuid[]): void {
    if (this.#state === "stopped") return;
    const outbox = this.#peers.find(claim);
    outbox?.add(encodePresence(userIds));
    outbox?.flush();
  }

  /** Resolves once this process hears the others. Rejects with WireError when Redis does not answer. Once. */
  async start(): Promise<void> {
    const { subscriber } = this.#redis;
    subscriber.on("smessage", (_channel: string, text: string) => this.#onMessage(text));
    subscriber.on("close", () => {
      if (this.#state === "listening") this.#state = "deaf";
      this.#echo.end();
    });
    subscriber.on("ready", () => void this.#listenAgain());
    await this.#listen();
  }

  /** Sends what waits and says good-bye, so that nobody takes this end for a loss. What is delivered later reaches this process only. Never rejects. */
  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#echo.end();
    while (!this.#router.isIdle) await new Promise<void>((resolve) => this.#soon(resolve));
    await Promise.all(Array.from(this.#peers.all(), (outbox) => outbox.finish()));
    const { subscriber, keys } = this.#redis;
    const channels = [this.#channel, keys.notices];
    await Promise.all(channels.map((channel) => subscriber.sunsubscribe(channel).catch(this.#options.onError)));
  }

  /** Resolves when each of these processes has answered, or those that did not had their time. After the first beacon, once. */
  async meet(claims: readonly string[]): Promise<void> {
    this.#unmet = new Set(claims.map((claim) => parseClaim(claim).node));
    this.#unmet.delete(this.#lease.node);
    if (this.#unmet.size === 0) return;
    const patience = new Promise<void>((resolve) => this.#options.clock.schedule(helloPatienceMs, resolve));
    await Promise.race([this.#allMet.promise, patience]);
  }

  /** `claims`: node:epoch of every living process, later ones win. Called about once a second. */
  beacon(claims: readonly string[]): void {
    const epochs = new Map(claims.map(parseClaim).map(({ node, epoch }) => [node, epoch]));
    for (const [node, epoch] of epochs) void this.#peers.meet(node, epoch)?.say("hello");
    this.#peers.keep(new Set(epochs.keys()));
    this.#peers.metAll();
    for (const outbox of this.#peers.all()) void outbox.say("beacon");
    this.#checkEcho();
  }

  /**
   * Reports processes that fell silent. `isHeldUp`: this process may not have heard what they said (it stood still, or
   * Redis did not answer it); then their silence counts from now.
   */
  checkSilence(isHeldUp: boolean): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (isHeldUp) return this.#gaps.excuse(nowMs);
    const reason = this.#gaps.silent(nowMs, peerSilentMs, peerGoneMs);
    if (reason !== undefined) this.#options.losses.raise(reason);
  }

  get #channel(): string {
    return this.#redis.keys.node(this.#lease.node);
  }

  async #publish(node: string, text: string): Promise<void> {
    await answered(this.#redis.commands.spublish(this.#redis.keys.node(node), text));
  }

  async #listen(): Promise<void> {
    const { subscriber, keys } = this.#redis;
    await Promise.all([this.#channel, keys.notices].map((channel) => answered(subscriber.ssubscribe(channel))));
    if (this.#state === "stopped") return;
    this.#state = "listening";
    this.#echo.begin();
  }

  async #listenAgain(): Promise<void> {
    if (this.#state !== "deaf") return;
    try {
      await this.#listen();
      this.#gaps.adopt(this.#options.clock.monotonicMs());
      this.#options.losses.raise("this process did not hear the others for a while");
    } catch (error) {
      this.#options.onError(error);
      // Connecting again leads back here.
      if (this.#state === "deaf") this.#redis.subscriber.disconnect(true);
    }
  }

  #restart(reason: string): void {
    this.#gaps.restart(this.#lease.epoch);
    this.#peers.restart(this.#lease);
    for (const outbox of this.#peers.all()) void outbox.say("hello");
    this.#options.losses.raise(reason);
  }

  /** A socket that is dead in one direction shows by what we say to ourselves. */
  #checkEcho(): void {
    if (this.#state !== "listening") return;
    if (this.#echo.silentMs >= echoSilentMs) this.#redis.subscriber.disconnect(true);
  }

  #onMessage(text: string): void {
    if (this.#echo.hear(text)) return;
    const batch = decodeBatch(text);
    if (batch === undefined) return this.#onForeign(text);
    if (batch.kind === "notice") return this.#onNotice(batch);
    if (batch.from === this.#lease.node) return;
    // A process that begins hears from us at once, instead of with the next beacon: it waits for that.
    if (batch.kind !== "bye") this.#peers.meet(batch.from, batch.fromEpoch);
    if (batch.kind === "hello") void this.#peers.find(`${batch.from}:${batch.fromEpoch}`)?.say("beacon");
    this.#unmet.delete(batch.from);
    if (this.#unmet.size === 0) this.#allMet.resolve();
    const reason = this.#gaps.hear(batch, this.#options.clock.monotonicMs());
    this.#hand(batch);
    if (reason !== undefined) this.#options.losses.raise(reason);
  }

  /** Own ones were handed over already. One of another process that has, or had, this name was not. */
  #onNotice(batch: Batch): void {
    if (batch.from !== this.#lease.node || batch.fromEpoch !== this.#lease.epoch) this.#hand(batch);
  }

  /** Of another version, or not of ours at all: whatever it was is lost to this process. */
  #onForeign(text: string): void {
    this.#options.onError(new Error(`a batch that this version does not understand: ${text.slice(0, 40)}`));
    this.#options.losses.raise("another process speaks another version");
  }

  #hand({ deliveries, notices, displaced, present }: Batch): void {
    for (const { displaced: userId, device, connection } of displaced)
      this.#options.onDisplaced(userId, device, connection);
    if (present.length > 0) this.#options.onPresence(present);
    for (const notice of notices) this.#receive((receiver) => receiver.notice(notice));
    for (const delivery of deliveries) this.#receive((receiver) => receiver.deliver(delivery));
  }

  #receive(give: (receiver: Parameters<Bus["subscribe"]>[0]) => void): void {
    if (this.#receiver === undefined) return;
    try {
      give(this.#receiver);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
