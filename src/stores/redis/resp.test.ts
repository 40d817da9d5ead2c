import { expect, test } from "vitest";
import { encodeCommand, ReplyCounter } from "./resp.ts";

test("a command is encoded with the lengths of its words in bytes", () => {
  expect(encodeCommand(["SET", "ä", 1])).toBe("*3\r\n$3\r\nSET\r\n$2\r\nä\r\n$1\r\n1\r\n");
});

test("replies are counted and errors read, wherever the chunks are cut", () => {
  const stream = Buffer.from("+OK\r\n:1\r\n-OOM no - room\r\n+OK\r\n-ERR x\r\n");
  const expected = [undefined, undefined, "OOM no - room", undefined, "ERR x"];
  for (let cut = 0; cut <= stream.length; cut++) {
    for (let second = cut; second <= stream.length; second++) {
      const replies: (string | undefined)[] = [];
      const counter = new ReplyCounter();
      for (const chunk of [stream.subarray(0, cut), stream.subarray(cut, second), stream.subarray(second)]) {
        counter.read(chunk, (error) => replies.push(error));
      }
      expect(replies).toEqual(expected);
    }
  }
});
