import { Admin, ConnectionPool, ProduceAcks, Producer } from "@platformatic/kafka";
import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type {
  FanOutConsumption,
  FanOutJob,
  FanOutLag,
  FanOutQueue,
  QueuedJob,
} from "../../core/ports/fan-out-queue.ts";
import { limits } from "../../protocol/limits.ts";
import { BrokerChoice } from "./broker-choice.ts";
import { isStarting, toStoreError, toWireError } from "./errors.ts";
import { explainKafka } from "./explain-silence.ts";
import { encodeJob, jobKey } from "./job-codec.ts";
import { JobConsumer } from "./job-consumer.ts";
import { JobWriter, type JobMessage } from "./job-writer.ts";
import { countWaiting, readOffsets } from "./offsets.ts";
import { QueueHealth } from "./queue-health.ts";
import { readLag } from "./read-lag.ts";
import { brokersOf, clientOptions, fanOutGroup, fanOutTopic, type KafkaSettings } from "./settings.ts";
import { ensureTopic } from "./topic.ts";

export interface KafkaFanOutDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Absent = limits.fanOutRetryMs. */
  readonly retryMs?: number;
}

export interface KafkaFanOutQueue extends FanOutQueue {
  /** Sends to large groups are refused now. */
  lost(): boolean;
  /** At once: a call that is under way is not waited for, and what it did is not committed. Idempotent. */
  close(): Promise<void>;
}

const lookEveryMs = 1_000;
const againAfterMs = 100;

/**
 * The queue in Kafka: topic `fanout.large`, key conversation:chunk, group `fanout-workers`. Makes the topic when it is not
 * there. A Kafka that does not answer, or will not do, is no reason not to start, since nothing but large groups needs it:
 * it is looked at until it can be used, sends to large groups are refused meanwhile, and the log says why (decision 36).
 */
export async function openKafkaFanOutQueue(settings: KafkaSettings, deps: KafkaFanOutDeps): Promise<KafkaFanOutQueue> {
  const queue = new KafkaQueue(settings, deps);
  await queue.open();
  return queue;
}

class KafkaQueue implements KafkaFanOutQueue {
  readonly membersMax = limits.membersPerGroupMax;
  readonly #settings: KafkaSettings;
  readonly #deps: KafkaFanOutDeps;
  readonly #choice: BrokerChoice;
  readonly #admin: Admin;
  readonly #producer: Producer;
  readonly #control: ConnectionPool;
  readonly #fetch: ConnectionPool;
  readonly #writer: JobWriter;
  readonly #health: QueueHealth;
  #isTopicReady = false;
  #consumer: JobConsumer | undefined;
  #closed: Promise<void> | undefined;

  constructor(settings: KafkaSettings, deps: KafkaFanOutDeps) {
    const { clock } = deps;
    this.#settings = settings;
    this.#deps = deps;
    this.#choice = new BrokerChoice(brokersOf(settings));
    this.#admin = this.#choice.lead(new Admin(clientOptions(settings, "fanout-admin")));
    const writing = clientOptions(settings, "fanout-producer");
    this.#producer = this.#choice.lead(new Producer({ ...writing, retries: 3, retryDelay: 200, idempotent: true }));
    this.#control = new ConnectionPool("msgr-fanout-control", clientOptions(settings, "fanout-control"));
    this.#fetch = new ConnectionPool("msgr-fanout-reader", clientOptions(settings, "fanout-reader"));
    this.#health = new QueueHealth({
      clock,
      look: () => this.#look(),
      everyMs: lookEveryMs,
      withinMs: settings.timeoutMs,
      meaningOf: (error) => toStoreError(error, settings).kind,
      onChange: (error) => this.#tell(error),
    });
    const doubt = (): void => void this.#health.look();
    this.#producer.on("client:broker:disconnect", doubt);
    this.#writer = new JobWriter({
      clock,
      send: (messages) => this.#send(messages),
      withinMs: settings.timeoutMs,
      onFailure: doubt,
    });
  }

  /** Resolves when it is known whether it can be used. */
  open(): Promise<void> {
    return this.#health.look();
  }

  async ready(): Promise<void> {
    this.#health.check();
  }

  async enqueue(jobs: readonly FanOutJob[]): Promise<void> {
    const timestampMs = this.#deps.clock.nowMs();
    await this.#writer.write(jobs.map((job) => ({ key: jobKey(job), value: encodeJob(job), timestampMs })));
  }

  async consume(handle: (jobs: readonly QueuedJob[]) => Promise<void>): Promise<FanOutConsumption> {
    assert(this.#consumer === undefined, "the queue is served once");
    this.#consumer = new JobConsumer({
      settings: this.#settings,
      choice: this.#choice,
      admin: this.#admin,
      control: this.#control,
      fetch: this.#fetch,
      clock: this.#deps.clock,
      log: this.#deps.log,
      retryMs: this.#deps.retryMs ?? limits.fanOutRetryMs,
      handle,
    });
    this.#consumer.start();
    return this.#consumer;
  }

  async lag(): Promise<FanOutLag> {
    const names = [fanOutTopic(this.#settings), fanOutGroup(this.#settings)] as const;
    try {
      return await readLag(this.#admin, this.#control, ...names, this.#deps.clock.nowMs());
    } catch (error) {
      throw toWireError(error);
    }
  }

  lost(): boolean {
    return !this.#health.isUp;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#health.stop();
    this.#writer.stop();
    await this.#consumer?.close();
    const ways = [this.#producer, this.#admin, this.#control, this.#fetch];
    await Promise.allSettled(ways.map((way) => way.close()));
  }

  /** A cluster that is just starting or chooses another leader, and a topic that was just made, are waited for. */
  async #look(): Promise<number> {
    const { clock } = this.#deps;
    const until = clock.monotonicMs() + this.#settings.timeoutMs;
    for (;;) {
      try {
        return await this.#lookOnce();
      } catch (error) {
        if (!isStarting(error) || clock.monotonicMs() > until) throw await explainKafka(error, this.#settings);
        await new Promise<void>((resolve) => clock.schedule(againAfterMs, resolve));
      }
    }
  }

  /** A topic that vanished, or came back with its cluster, is looked at anew. */
  async #lookOnce(): Promise<number> {
    const [topic, group] = [fanOutTopic(this.#settings), fanOutGroup(this.#settings)];
    try {
      const warnings = this.#isTopicReady ? [] : await ensureTopic(this.#admin, this.#settings);
      const offsets = await readOffsets(this.#admin, topic, group);
      for (const { message, fix } of warnings) this.#deps.log.warn({ fix }, message);
      this.#isTopicReady = true;
      this.#consumer?.noteTopic(offsets.length);
      return countWaiting(offsets);
    } catch (error) {
      this.#isTopicReady = false;
      this.#admin.clearMetadata();
      if (!isStarting(error)) this.#choice.next();
      throw error;
    }
  }

  async #send(messages: readonly JobMessage[]): Promise<void> {
    const topic = fanOutTopic(this.#settings);
    await this.#producer.send({
      messages: messages.map(({ key, value, timestampMs }) => ({ topic, key, value, timestamp: BigInt(timestampMs) })),
      acks: ProduceAcks.ALL,
      // Said here too: after a failed send the driver begins a new sequence only if it is.
      idempotent: true,
    });
    this.#health.put(messages.length);
  }

  #tell(error: unknown): void {
    const { log } = this.#deps;
    const { brokers } = this.#settings;
    if (error === undefined) return log.info({ brokers }, "Kafka is back: large groups are served again");
    const { kind, message, fix } = toStoreError(error, this.#settings);
    const fields = { cause: message, fix };
    if (kind === "unreachable") {
      log.warn(fields, "Kafka is lost: sends to large groups are refused until it is back");
    } else log.error(fields, "Kafka cannot be used: sends to large groups are refused until that is mended");
  }
}
