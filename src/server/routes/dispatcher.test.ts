import { describe, expect, test } from "vitest";
import type { MessageDraft, SentMessage } from "../../core/api.ts";
import type { ClientFrame } from "../../protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Connection } from "../connection/connection.ts";
import { ratePresets, type RateRules } from "../rate-rules.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { RouteServices } from "./route.ts";

const user = "01890000-0000-7000-8000-000000000001";

function messageFrame(n: number): ClientFrame {
  const message_id = `01890000-0000-7000-8000-${String(n).padStart(12, "0")}`;
  return { type: "SEND_MESSAGE", request: `r${n}`, to: { user }, message_id, since: 0, kind: 1, envelope: "" };
}

function createFixture(rules: Partial<RateRules> = {}) {
  const sends: { draft: MessageDraft; resolve: (sent: SentMessage) => void; reject: (error: unknown) => void }[] = [];
  const postponed: string[] = [];
  const takes: { key: string; answer: (waitMs: number) => void }[] = [];
  const settings = { later: false, wait: 0 };
  const time = { now: 0 };
  const services = {
    core: {
      delivery: {
        createGate: () => ({ kind: "send-gate" }),
        send: (_caller: unknown, _gate: unknown, draft: MessageDraft) =>
          new Promise<SentMessage>((resolve, reject) => sends.push({ draft, resolve, reject })),
        postpone: (_caller: unknown, _gate: unknown, { messageId }: MessageDraft) => void postponed.push(messageId),
      },
    },
    rateLimits: {
      take: (key: string) =>
        settings.later ? new Promise<number>((answer) => takes.push({ key, answer })) : settings.wait,
    },
    clock: { nowMs: () => time.now, monotonicMs: () => time.now },
    rules: () => ({ ...ratePresets.off, ...rules }),
    watch: { beat: () => {} },
  } as unknown as RouteServices;
  const errors: unknown[] = [];
  const observer = { onError: (...seen: unknown[]) => void errors.push(seen[3]), onAnswered: () => {} };
  const sent: ServerFrame[] = [];
  const closes: string[] = [];
  const connection = {
    state: "greeted",
    caller: { userId: user, device: 1 },
    memory: undefined,
    inFlight: 0,
    begin: (weight: number) => void (connection.inFlight += weight),
    end: (weight: number) => void (connection.inFlight -= weight),
    send: (frame: ServerFrame) => void sent.push(frame),
    sendError: (error: WireError, request?: string) =>
      void sent.push({ type: "ERROR", request, code: error.code, undecided: error.undecided } as ServerFrame),
    close: (reason: string) => void closes.push(reason),
    heartbeat: () => {},
  };
  const dispatcher = new Dispatcher(services, observer);
  const dispatch = (frame: ClientFrame): void => dispatcher.dispatch(connection as unknown as Connection, frame);
  return { dispatch, sends, postponed, takes, settings, time, errors, sent, closes, connection };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe("Dispatcher", () => {
  test("sends reach the core in the turn and the order in which they came", () => {
    const { dispatch, sends } = createFixture();
    for (let n = 0; n < 5; n++) dispatch(messageFrame(n));
    expect(sends.map(({ draft }) => draft.messageId.at(-1))).toEqual(["0", "1", "2", "3", "4"]);
  });

  test("also when the rate limit is asked elsewhere and answers late", async () => {
    const { dispatch, sends, takes, settings, connection } = createFixture({ send: { burst: 1, intervalMs: 1 } });
    settings.later = true;
    for (let n = 0; n < 3; n++) dispatch(messageFrame(n));
    for (let n = 0; n < 3; n++) {
      await settle();
      expect(takes).toHaveLength(1);
      takes.shift()?.answer(0);
    }
    await settle();
    expect(sends.map(({ draft }) => draft.messageId.at(-1))).toEqual(["0", "1", "2"]);
    expect(connection.inFlight).toBe(3);
  });

  test("work in flight is counted until it is answered, whichever way", async () => {
    const { dispatch, sends, connection, sent } = createFixture();
    dispatch(messageFrame(1));
    dispatch(messageFrame(2));
    expect(connection.inFlight).toBe(2);
    sends[0]?.resolve({ conversationId: "c", seq: 1, sentAt: 5, ucount: 1 });
    sends[1]?.reject(new WireError("store_unavailable", { undecided: true }));
    await settle();
    expect(connection.inFlight).toBe(0);
    expect(sent).toMatchObject([
      { type: "ACK", request: "r1", seq: 1, status: "sent" },
      { type: "ERROR", request: "r2", code: "store_unavailable", undecided: true },
    ]);
  });

  test("what is no WireError becomes internal, undecided for a send, and its cause is reported", async () => {
    const { dispatch, sends, sent, errors } = createFixture();
    dispatch(messageFrame(1));
    const cause = new Error("a bug");
    sends[0]?.reject(cause);
    await settle();
    expect(sent).toMatchObject([{ code: "internal", undecided: true }]);
    expect(errors).toEqual([cause]);
    expect(JSON.stringify(sent)).not.toContain("a bug");
  });

  test("a send over its limit is refused, and keeps its place", () => {
    const { dispatch, sent, postponed, sends, settings } = createFixture({ send: { burst: 1, intervalMs: 1 } });
    settings.wait = 250;
    dispatch(messageFrame(7));
    expect(sent).toMatchObject([{ code: "rate_limited", request: "r7" }]);
    expect([postponed.length, sends.length]).toEqual([1, 0]);
  });

  test("so does one over the limit on frames of any kind", () => {
    const { dispatch, postponed, sends, time } = createFixture({ frame: { burst: 2, intervalMs: 100 } });
    for (let n = 0; n < 4; n++) dispatch(messageFrame(n));
    expect([sends.length, postponed.length]).toEqual([2, 2]);
    time.now += 100;
    dispatch(messageFrame(9));
    expect(sends).toHaveLength(3);
  });

  test("and it waits for those before it, of which the limit is asked elsewhere", async () => {
    const rule = { burst: 1, intervalMs: 100 };
    const { dispatch, postponed, sends, takes, settings, connection } = createFixture({ frame: rule, send: rule });
    settings.later = true;
    for (let n = 0; n < 2; n++) dispatch(messageFrame(n));
    await settle();
    expect(postponed).toEqual([]);
    takes[0]?.answer(0);
    await settle();
    expect([sends.length, postponed.length, connection.inFlight]).toEqual([1, 1, 1]);
  });

  test("a client that goes on and on being wrong is closed, one that is wrong now and then is not", () => {
    const { dispatch, closes, connection, time } = createFixture();
    connection.state = "opening";
    for (let n = 0; n < 5_000; n++) {
      time.now += 200;
      dispatch({ type: "HEARTBEAT" });
    }
    expect(closes).toEqual([]);
    for (let n = 0; n <= limits.draftsPerConnectionMax; n++) dispatch({ type: "HEARTBEAT" });
    expect(closes).toContain("flood");
  });

  test("nothing is begun for a connection that is leaving", async () => {
    const { dispatch, sends, takes, settings, connection } = createFixture({ send: { burst: 1, intervalMs: 1 } });
    settings.later = true;
    dispatch(messageFrame(1));
    connection.state = "draining";
    takes[0]?.answer(0);
    await settle();
    expect([sends.length, connection.inFlight]).toEqual([0, 0]);
  });
});
