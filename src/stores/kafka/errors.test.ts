import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  ProtocolError,
  TimeoutError,
  UserError,
} from "@platformatic/kafka";
import { expect, test } from "vitest";
import { StoreError } from "../../base/store-error.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { answers, firstMessage, isStarting, toStoreError, toWireError } from "./errors.ts";

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

const place = { brokers: "127.0.0.1:1", username: "ann", saslMechanism: "plain" } as const;
const connecting = (cause: Error): Error =>
  new MultipleErrors("Cannot connect to any broker.", [new NetworkError("Connection to a:1 failed.", { cause })]);
const unknownAuthority = Object.assign(new Error("self-signed"), { code: "SELF_SIGNED_CERT_IN_CHAIN" });
const noTls = connecting(new UserError("TLS handshake failed. Please verify the broker supports TLS."));
const handshake = (id: string): Error =>
  connecting(new AuthenticationError("Cannot find a suitable SASL mechanism.", { cause: wrapped(id) }));

test("a broker that wants to be spoken to in another way is not one that is starting", () => {
  expect(isStarting(new UserError("Unknown topic"))).toBe(true);
  expect(isStarting(wrapped("TOPIC_ALREADY_EXISTS"))).toBe(true);
  expect(isStarting(new UserError("Broker requires TLS."))).toBe(false);
  expect(isStarting(noTls)).toBe(false);
});

test.each([
  [connecting(unknownAuthority), "untrusted", /tls\.ca_file/],
  [noTls, "wrong_transport", /kafka\.tls to false/],
  [new UserError("Broker requires TLS."), "wrong_transport", /kafka\.tls to true/],
  [connecting(new AuthenticationError("SASL authentication failed.")), "wrong_password", /kafka\.password/],
  [
    connecting(
      new AuthenticationError("Cannot find a suitable SASL mechanism.", { cause: new NetworkError("closed") }),
    ),
    "unreachable",
    /kafka\.brokers/,
  ],
  [handshake("UNSUPPORTED_SASL_MECHANISM"), "wrong_password", /kafka\.sasl_mechanism/],
  [handshake("ILLEGAL_SASL_STATE"), "wrong_password", /kafka\.username empty/],
  [wrapped("TOPIC_AUTHORIZATION_FAILED"), "wrong_password", /kafka-acls/],
  [wrapped("TOPIC_ALREADY_EXISTS"), "wrong_password", /kafka-acls/],
  [wrapped("INVALID_REPLICATION_FACTOR"), "other", /kafka\.replication_factor/],
  [refused, "unreachable", /stack up --only kafka/],
])("an operator hears what to do: %s", (error, kind, fix) => {
  const found = toStoreError(error, place);
  expect(found).toBeInstanceOf(StoreError);
  expect(found).toMatchObject({ kind, fix: expect.stringMatching(fix) as string });
  expect(toStoreError(found, { ...place, brokers: "elsewhere:1" })).toBe(found);
});
