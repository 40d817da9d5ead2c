import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kinds } from "../../protocol/kinds.ts";
import { limits } from "../../protocol/limits.ts";
import { ackFields, draftOf } from "./message-draft.ts";

const messageId = "0199a0c2-0000-7000-8000-000000000001";
const user = "0199a0c0-0000-7000-8000-00000000000b";
const send = { to: { user }, message_id: messageId, since: 0, kind: 1, envelope: "aGk=" };
const refusal = (code: string) => expect.objectContaining({ code }) as Error;

describe("a draft", () => {
  test("has the fields of the send, and only those that it has", () => {
    expect(draftOf(send)).toEqual({ to: { user }, messageId, since: 0, kind: 1, envelope: Buffer.from("hi") });
    const full = { ...send, read_from: 1, read: 2, media_id: user };
    expect(draftOf(full)).toMatchObject({ readFrom: 1, read: 2, mediaId: user });
  });

  test.each([kinds.void, kinds.system])("of kind %d is the server's alone", (kind) => {
    expect(() => draftOf({ ...send, kind })).toThrow(refusal("bad_request"));
  });

  test("may have a kind that this server does not know", () => {
    expect(draftOf({ ...send, kind: 99 }).kind).toBe(99);
  });
});

describe("an envelope", () => {
  test("comes out as the bytes that went in", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const envelope = Buffer.from(bytes).toString("base64");
        expect(Buffer.from(draftOf({ ...send, envelope }).envelope)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test("may have 64 KiB and no more", () => {
    const ofBytes = (length: number) => ({ ...send, envelope: Buffer.alloc(length).toString("base64") });
    expect(draftOf(ofBytes(limits.envelopeBytesMax)).envelope.length).toBe(limits.envelopeBytesMax);
    expect(() => draftOf(ofBytes(limits.envelopeBytesMax + 1))).toThrow(refusal("bad_envelope"));
  });

  test.each(["a", "aG", "aGk", "aGk==", "aGk=\n", " aGk=", "aG k=", "aGk=aGk=", "-_-_", "====", "aGé="])(
    "is not %j",
    (envelope) => {
      expect(() => draftOf({ ...send, envelope })).toThrow(refusal("bad_envelope"));
    },
  );
});

describe("an ack", () => {
  const sent = { conversationId: user, seq: 3, sentAt: 5, ucount: 2 };

  test("says where the message stands", () => {
    expect(ackFields(messageId, sent)).toEqual({
      message_id: messageId,
      conversation_id: user,
      seq: 3,
      status: "sent",
      sent_at: 5,
      ucount: 2,
    });
  });

  test("says when nobody will ever confirm it", () => {
    expect(ackFields(messageId, { ...sent, maxStatus: "sent" })).toMatchObject({ max_status: "sent" });
  });
});
