import { expect, test } from "vitest";
import { limits } from "../../protocol/limits.ts";
import { StoreLedger } from "../ledger/store-ledger.ts";
import { BeatingUsers } from "./store-presence.ts";

const share = { index: 0, count: 1 };

test("whoever is offline in an answer within the time of a heartbeat is a fault, and counted once", () => {
  const users = new BeatingUsers(1, 2, 3, share);
  users.acknowledged(0, 1_000);
  users.judge(0, users.beatAtMs(0), true, 2_000);
  users.judge(0, users.beatAtMs(0), false, 1_000 + limits.presenceTtlMs - 1);
  const ledger = new StoreLedger();
  users.enter(ledger);
  users.enter(ledger);
  expect(ledger.account()).toMatchObject({ presenceChecked: 2, faults: { counts: { false_offline: 1 } } });
});

test("whoever never beat, or not for so long, may be either", () => {
  const users = new BeatingUsers(1, 2, 3, share);
  users.acknowledged(0, 1_000);
  users.judge(0, users.beatAtMs(0), false, 1_000 + limits.presenceTtlMs);
  users.judge(1, users.beatAtMs(1), false, 2_000);
  const ledger = new StoreLedger();
  users.enter(ledger);
  expect(ledger.account()).toMatchObject({ presenceChecked: 0, faults: { counts: {} } });
});

test("an answer that comes late does not make an earlier heartbeat the last one", () => {
  const users = new BeatingUsers(1, 2, 3, share);
  users.acknowledged(0, 50_000);
  users.acknowledged(0, 1_000);
  users.judge(0, users.beatAtMs(0), false, 60_000);
  const ledger = new StoreLedger();
  users.enter(ledger);
  expect(ledger.account().faults.counts).toEqual({ false_offline: 1 });
});

test("more faults than are kept in full are all counted", () => {
  const users = new BeatingUsers(1, 2, 30, share);
  for (let index = 0; index < 30; index++) {
    users.acknowledged(index, 1_000);
    users.judge(index, users.beatAtMs(index), false, 2_000);
  }
  const ledger = new StoreLedger();
  users.enter(ledger);
  expect(ledger.account().faults.counts).toEqual({ false_offline: 30 });
});

test("a beat that is acknowledged while the question is under way proves nothing", () => {
  const users = new BeatingUsers(1, 2, 3, share);
  const asked = users.beatAtMs(0);
  users.acknowledged(0, 1_000);
  users.judge(0, asked, false, 1_001);
  const ledger = new StoreLedger();
  users.enter(ledger);
  expect(ledger.account()).toMatchObject({ presenceChecked: 0, faults: { counts: {} } });
});
