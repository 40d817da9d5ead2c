import { MultipleErrors, NetworkError, ProtocolError, TimeoutError } from "@platformatic/kafka";
import { expect, test } from "vitest";
import { StoreError } from "../../base/store-error.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { answers, firstMessage, toStoreError, toWireError } from "./errors.ts";

const refused = new NetworkError("Connection to 127.0.0.1:1 failed.", { cause: new Error("connect ECONNREFUSED") });
const wrapped = (id: string): Error => new MultipleErrors("failed 4 times.", [new ProtocolError(id)]);

test("the answer of the broker is found in what the driver wrapped around it", () => {
  expect(answers(wrapped("TOPIC_ALREADY_EXISTS"), "NOT_CONTROLLER", "TOPIC_ALREADY_EXISTS")).toBe(true);
  expect(answers(wrapped("TOPIC_ALREADY_EXISTS"), "NOT_CONTROLLER")).toBe(false);
  expect(answers(new Error("no answer"), "NOT_CONTROLLER")).toBe(false);
});

test("the first message is the one that says what happened", () => {
  expect(firstMessage(new MultipleErrors("Cannot connect to any broker.", [refused]))).toBe("connect ECONNREFUSED");
});

test.each([refused, new TimeoutError("Request timed out"), wrapped("NOT_ENOUGH_REPLICAS")])(
  "no answer, or no copies: store_unavailable (%s)",
  (error) => {
    expect(toWireError(error)).toMatchObject({ code: "store_unavailable", temporary: true, cause: error });
  },
);

test("a broker that cannot write is full", () => {
  expect(toWireError(wrapped("KAFKA_STORAGE_ERROR"))).toMatchObject({ code: "storage_full" });
});

test("mistakes of ours and what is an answer already stay what they are", () => {
  const ours = new TypeError("undefined is not a function");
  const answer = new WireError("overloaded");
  expect(toWireError(ours)).toBe(ours);
  expect(toWireError(answer)).toBe(answer);
});

test.each([
  [wrapped("TOPIC_AUTHORIZATION_FAILED"), "wrong_password", /kafka-acls/],
  [wrapped("INVALID_REPLICATION_FACTOR"), "other", /kafka\.replication_factor/],
  [refused, "unreachable", /stack up --only kafka/],
])("an operator hears what to do: %s", (error, kind, fix) => {
  const found = toStoreError(error, "127.0.0.1:1");
  expect(found).toBeInstanceOf(StoreError);
  expect(found).toMatchObject({ kind, fix: expect.stringMatching(fix) as string });
  expect(toStoreError(found, "elsewhere:1")).toBe(found);
});
