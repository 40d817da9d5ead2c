import fc from "fast-check";
import { expect, test } from "vitest";
import { registersOf, rowOf } from "../../../test/helpers/scripted-machine.ts";
import { advanceByRow, mergeRegisters } from "./registers.ts";

const seq = fc.nat({ max: 50 });
/** Fields that one seq drives are functions of it, as on the server. */
const registers = fc.record({ last: seq, own: seq, recv: seq, read: seq, joined: seq, left: seq }).map((value) =>
  registersOf({
    last_seq: value.last,
    last_ucount: value.last * 2,
    last_at: value.last * 3,
    own_seq: value.own,
    recv_seq: value.recv,
    read_seq: value.read,
    read_ucount: value.read * 2,
    joined_seq: value.joined,
    left_seq: value.left,
  }),
);

test("registers merge to the same whatever the order, and merging again changes nothing", () => {
  fc.assert(
    fc.property(registers, registers, registers, (one, two, three) => {
      const forward = mergeRegisters(mergeRegisters(one, two), three);
      const backward = mergeRegisters(mergeRegisters(three, two), one);
      expect(forward).toEqual(backward);
      expect(mergeRegisters(forward, two)).toBe(forward);
    }),
  );
});

test("a rejoin reopens a membership that had ended; an older answer does not end it again", () => {
  const left = registersOf({ joined_seq: 3, left_seq: 9 });
  const rejoined = registersOf({ joined_seq: 12, left_seq: 0 });
  expect(mergeRegisters(left, rejoined).left_seq).toBe(0);
  expect(mergeRegisters(rejoined, left)).toMatchObject({ joined_seq: 12, left_seq: 0 });
});

test("a row drives the newest row, and the own row only when it is one's own", () => {
  const row = rowOf(5);
  if (row.kind === 0 || !("ucount" in row)) throw new Error("not a message");
  expect(advanceByRow(registersOf({}), row, false)).toMatchObject({ last_seq: 5, last_ucount: 5, own_seq: 0 });
  expect(advanceByRow(registersOf({ last_seq: 9 }), row, true)).toMatchObject({ last_seq: 9, own_seq: 5 });
  const ahead = registersOf({ last_seq: 9, own_seq: 6 });
  expect(advanceByRow(ahead, row, true)).toBe(ahead);
});
