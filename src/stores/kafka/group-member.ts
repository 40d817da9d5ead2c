import { Consumer, type ConnectionPool, heartbeatV4, NetworkError, offsetCommitV8 } from "@platformatic/kafka";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { BrokerChoice } from "./broker-choice.ts";
import { answers, firstMessage } from "./errors.ts";
import { clientOptions, fanOutGroup, fanOutTopic, membership, type KafkaSettings } from "./settings.ts";

export interface GroupMemberOptions {
  readonly settings: KafkaSettings;
  readonly choice: BrokerChoice;
  readonly clock: Clock;
  readonly log: Logger;
  /** For commits and for heartbeats while a partition is handed over: the driver's own connection waits for the group. */
  readonly control: ConnectionPool;
  readonly onGained: (partitions: readonly number[]) => void;
  /** They go to somebody else when this resolves: finish, commit, let go. */
  readonly release: (partitions: readonly number[]) => Promise<void>;
  /** They are somebody else's by now. */
  readonly onLost: (partitions: readonly number[]) => void;
}

const rejoinAfterMs = 500;
const closeWithinMs = 2_000;
/** Why a membership ended: no fault, and nothing to tell. */
const topicGrew = Symbol("the topic grew");
/** The coordinator does not count this process as a member any more. */
const outOfGroup = ["UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID"];

/**
 * This process's place among those that serve the topic: which partitions are its own, for how long.
 *
 *   joining ──▶ member ──others come or go──▶ handing over (what is theirs now) ──▶ member …
 *                 └──not heard of for sessionMs, or an error──▶ joining
 *
 * Assignments are cooperative and sticky: what stays is served on while the group forms anew. A partition goes over only
 * when its call has ended; until then the heartbeats that the driver leaves out while it joins are sent from here.
 * Joining is tried for ever.
 */
export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #topic: string;
  readonly #held = new Set<number>();
  /** What waits here, and is let go when this stops. */
  readonly #waits = new Set<() => void>();
  #isStopped = false;
  #isTold = false;
  /** Partitions of the topic when the group last shared them out. */
  #shared = Number.POSITIVE_INFINITY;
  #leave: (reason: typeof topicGrew) => void = () => undefined;
  #consumer: Consumer | undefined;
  #running: Promise<void> | undefined;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
    this.#topic = fanOutTopic(options.settings);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Leaves the group. What is held is let go without a word. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const end of this.#waits) end();
    await this.#running;
  }

  /**
   * So many partitions are there now. A group shares them out when members come or go and at no other time: what is added
   * would be nobody's until then. So this process goes, and comes again.
   */
  noteTopic(partitions: number): void {
    if (partitions <= this.#shared) return;
    this.#shared = Number.POSITIVE_INFINITY;
    this.#leave(topicGrew);
  }

  /** Commits in the name of the generation that this process is in. Rejects when it is in none, or the broker refuses. */
  async commit(offsets: ReadonlyMap<number, bigint>): Promise<void> {
    const consumer = this.#consumer;
    const { memberId } = consumer ?? {};
    if (consumer === undefined || typeof memberId !== "string") throw new NetworkError("Not a member now.");
    const partitions = [...offsets].map(([partitionIndex, committedOffset]) => ({
      partitionIndex,
      committedOffset,
      committedLeaderEpoch: -1,
      committedMetadata: null,
    }));
    const connection = await this.#coordinator(consumer);
    const topics = [{ name: this.#topic, partitions }];
    await offsetCommitV8.api.async(connection, consumer.groupId, consumer.generationId, memberId, null, topics);
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const error = await this.#session();
      this.#loseAll();
      if (this.#isStopped) return;
      if (error !== topicGrew) this.#tell(error);
      await this.#pause(rejoinAfterMs);
    }
  }

  /** From joining to the end of the membership; answers why it ended. */
  async #session(): Promise<unknown> {
    const ended = Promise.withResolvers<unknown>();
    this.#leave = ended.resolve;
    const consumer: Consumer = this.#create(() => this.#handOver(consumer));
    this.#consumer = consumer;
    // The driver tells of a failed attempt to join anew, and then does nothing more.
    consumer.on("error", ended.resolve);
    consumer.on("consumer:heartbeat:stalled", ({ lastError }) => ended.resolve(lastError));
    consumer.on("consumer:group:join", () => {
      this.#gain(consumer);
      this.#shared = consumer.currentMetadata?.topics.get(this.#topic)?.partitionsCount ?? Number.POSITIVE_INFINITY;
    });
    consumer.on("consumer:group:rebalance", () => {
      this.#gain(consumer);
      // They are about to be shared out anew.
      this.#shared = Number.POSITIVE_INFINITY;
    });
    consumer.topics.track(this.#topic);
    consumer.joinGroup().catch(ended.resolve);
    const onStop = (): void => ended.resolve(undefined);
    this.#waits.add(onStop);
    const error = await ended.promise;
    this.#waits.delete(onStop);
    this.#shared = Number.POSITIVE_INFINITY;
    this.#consumer = undefined;
    await this.#close(consumer);
    return error;
  }

  #create(handOver: () => Promise<void>): Consumer {
    const { settings, choice } = this.#options;
    const consumer = new Consumer({
      ...clientOptions(settings, "fanout-worker"),
      groupId: fanOutGroup(settings),
      sessionTimeout: membership.sessionMs,
      heartbeatInterval: membership.heartbeatMs,
      rebalanceTimeout: membership.rebalanceMs,
      heartbeatStallTimeout: membership.rebalanceMs,
      // The answer to a join comes when everybody has joined.
      requestTimeout: membership.rebalanceMs + settings.timeoutMs,
      // The steps of forming a group refuse each other for a moment.
      retries: 5,
      retryDelay: 200,
      protocols: [{ name: "cooperative-sticky", version: 3 }],
      protocolsMetadata: () => handOver().then(() => Buffer.alloc(0)),
      autocommit: false,
    });
    return choice.lead(consumer);
  }

  #assigned(consumer: Consumer): readonly number[] {
    return consumer.assignments?.find(({ topic }) => topic === this.#topic)?.partitions ?? [];
  }

  #gain(consumer: Consumer): void {
    if (consumer !== this.#consumer || this.#isStopped) return;
    this.#isTold = false;
    const gained = this.#assigned(consumer).filter((partition) => !this.#held.has(partition));
    for (const partition of gained) this.#held.add(partition);
    if (gained.length > 0) this.#options.onGained(gained);
  }

  /** Before each request to join: what is not assigned to this process any more is finished and let go. */
  async #handOver(consumer: Consumer): Promise<void> {
    if (consumer !== this.#consumer || this.#isStopped) return;
    const assigned = new Set(this.#assigned(consumer));
    const going = [...this.#held].filter((partition) => !assigned.has(partition));
    if (going.length === 0) return;
    const isOurs = await this.#isMember(consumer);
    if (!isOurs || !(await this.#releaseInTime(consumer, going))) this.#lose(going);
    for (const partition of going) this.#held.delete(partition);
  }

  /** False when the membership ended meanwhile, or the time for it is over. */
  async #releaseInTime(consumer: Consumer, going: readonly number[]): Promise<boolean> {
    const until = this.#options.clock.monotonicMs() + membership.handOverMsMax;
    const released = this.#options.release(going).then(() => true as const);
    while (this.#options.clock.monotonicMs() < until && !this.#isStopped) {
      if (await Promise.race([released, this.#pause(membership.heartbeatMs)])) return true;
      if (!(await this.#isMember(consumer))) return false;
    }
    return false;
  }

  /** Sends a heartbeat. A broker that does not answer leaves it open, and so as it is. */
  async #isMember(consumer: Consumer): Promise<boolean> {
    const { memberId, generationId, groupId } = consumer;
    if (memberId === null) return false;
    try {
      const connection = await this.#coordinator(consumer);
      await heartbeatV4.api.async(connection, groupId, generationId, memberId, null);
      return true;
    } catch (error) {
      return !answers(error, ...outOfGroup);
    }
  }

  async #coordinator(consumer: Consumer) {
    const { coordinatorId, currentMetadata } = consumer;
    const broker = coordinatorId === null ? undefined : currentMetadata?.brokers.get(coordinatorId);
    if (broker === undefined) throw new NetworkError("The coordinator of the group is not known now.");
    return this.#options.control.get(broker);
  }

  /** Once for each time that it was a member. */
  #tell(error: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#options.log.warn(
      { cause: firstMessage(error) },
      "This process serves no large groups until Kafka lets it in",
    );
  }

  #loseAll(): void {
    this.#lose([...this.#held]);
    this.#held.clear();
  }

  #lose(partitions: readonly number[]): void {
    if (partitions.length > 0) this.#options.onLost(partitions);
  }

  /** A broker that does not answer would keep the driver waiting: it then finds out by itself that this process left. */
  async #close(consumer: Consumer): Promise<void> {
    // What fails after this is of no interest to anybody.
    consumer.on("error", () => {});
    const closed = consumer.close(true).catch(() => undefined);
    const late = new Promise<void>((resolve) => this.#options.clock.schedule(closeWithinMs, resolve));
    await Promise.race([closed, late]);
    await consumer.connections.close().catch(() => undefined);
  }

  /** Answers nothing, after `ms` or when this stops. */
  #pause(ms: number): Promise<undefined> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#waits.delete(end);
        timer.cancel();
        resolve(undefined);
      };
      this.#waits.add(end);
      const timer = this.#options.clock.schedule(ms, end);
    });
  }
}
