import { createDeferred } from "../../base/deferred.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller, CorePorts, MessageDraft, SentMessage } from "../api.ts";
import type { Belief } from "../belief.ts";
import { DirectoryCache } from "../directory-cache.ts";
import { FanOutSends } from "../fan-out/fan-out-sends.ts";
import type { Notice } from "../ports/bus.ts";
import type { LaneContext } from "./lane-context.ts";
import { Lane } from "./lane.ts";
import { createPeers } from "./peers.ts";
import { PendingSend } from "./pending-send.ts";
import type { ConnectionGate } from "./send-gate.ts";
import { sendBatch } from "./send-batch.ts";
import { believedStanding, readStanding } from "./standings.ts";

export interface LanesOptions {
  /** How far what was read of blocks and member lists may be used. */
  readonly belief: Belief;
  /** Lanes kept; those in use come on top (as many as there are conversations with a send under way). */
  readonly lanesMax?: number;
}

/**
 * All lanes of a server process, by conversation. A lane runs while it has jobs and rests afterwards; a resting lane is
 * only knowledge, so it may be dropped at any time. When there are too many, the one that came first goes first unless
 * it was used since it was last looked at (second chance): that costs a flag per send instead of two map writes.
 */
export class Lanes {
  readonly context: LaneContext;
  readonly #lanes = new Map<Uuid, Lane>();
  readonly #lanesMax: number;

  static readonly lanesMax = 16_384;
  /** Looked at per new lane: enough to shrink again after a burst, little enough to cost nothing. */
  static readonly evictionStepsMax = 8;

  constructor(
    ports: LaneContext["ports"] & Pick<CorePorts, "fanOut">,
    shared: Pick<LaneContext, "groupStatus" | "known">,
    options: LanesOptions,
  ) {
    this.context = {
      ports,
      directory: new DirectoryCache(options.belief),
      ...shared,
      fanOut: new FanOutSends(ports.fanOut),
      belief: options.belief,
      tickets: { last: 0 },
    };
    this.#lanesMax = options.lanesMax ?? Lanes.lanesMax;
  }

  /** Resident lanes, for metrics. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Takes a checked draft at its place in line, synchronously. */
  send(conversationId: Uuid, caller: Caller, gate: ConnectionGate, draft: MessageDraft): Promise<SentMessage> {
    const lane = this.#lane(conversationId);
    const send = new PendingSend(conversationId, caller, gate, draft, ++this.context.tickets.last);
    if ("user" in draft.to) lane.peers ??= createPeers(caller.userId, draft.to.user);
    if (lane.queue.push(send)) this.#wake(lane);
    else send.failAhead(new WireError("overloaded"));
    return send.answer;
  }

  /** Runs `operation` when everything before it is done, alone in the lane. */
  enter<T>(conversationId: Uuid, operation: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = this.#lane(conversationId);
    const answer = createDeferred<T>();
    const run = (): Promise<void> =>
      operation(lane).then(
        (value) => answer.resolve(value),
        (error: unknown) => answer.reject(error),
      );
    if (lane.queue.push({ job: "task", run })) this.#wake(lane);
    else answer.reject(new WireError("overloaded"));
    return answer.promise;
  }

  /** As DeliveryApi.hearEachOther. */
  async hearEachOther(conversationId: Uuid, one: Uuid, other: Uuid): Promise<boolean> {
    const lane = this.#lane(conversationId);
    const peers = createPeers(one, other);
    const unknown = peers.userIds.filter((userId) => believedStanding(this.context, lane, userId) === undefined);
    if (unknown.length > 0) {
      await Promise.all(unknown.map((userId) => readStanding(this.context, lane, peers, userId)));
      // Of a lane that was dropped meanwhile, no notice was heard.
      if (this.#lanes.get(conversationId) !== lane) return false;
    }
    return peers.userIds.every((userId) => believedStanding(this.context, lane, userId)?.blocked === false);
  }

  /** A message was pushed through this process, whoever appended it. */
  heardMessage(conversationId: Uuid, seq: number): void {
    this.#lanes.get(conversationId)?.heard(seq);
  }

  hear(notice: Notice): void {
    this.context.directory.hear(notice);
    if (notice.notice === "blocks_changed") {
      this.#lanes.get(directConversationId(notice.ownerId, notice.otherId))?.forgetStandings();
    }
  }

  #wake(lane: Lane): void {
    if (lane.running) return;
    lane.running = true;
    void this.#run(lane);
  }

  async #run(lane: Lane): Promise<void> {
    for (let job = lane.queue.peek(); job !== undefined; job = lane.queue.peek()) {
      if (job.job === "send") {
        await sendBatch(this.context, lane);
      } else {
        lane.queue.shift();
        await job.run(lane);
      }
    }
    lane.rest();
    lane.running = false;
  }

  #lane(conversationId: Uuid): Lane {
    let lane = this.#lanes.get(conversationId);
    if (lane === undefined) {
      if (this.#lanes.size >= this.#lanesMax) this.#evict();
      lane = new Lane(conversationId);
      this.#lanes.set(conversationId, lane);
    } else {
      lane.used = true;
    }
    return lane;
  }

  #evict(): void {
    let steps = 0;
    for (const [conversationId, lane] of this.#lanes) {
      if (this.#lanes.size < this.#lanesMax || ++steps > Lanes.evictionStepsMax) return;
      this.#lanes.delete(conversationId);
      if (!lane.running && !lane.used) continue;
      lane.used = false;
      this.#lanes.set(conversationId, lane);
    }
  }
}
