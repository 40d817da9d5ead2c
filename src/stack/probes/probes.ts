import { exchange, type Address } from "./exchange.ts";

/**
 * One question to each kind of store, in its own protocol: whether it takes clients now, which an open port does not say.
 * Written out here because a driver would bring its folder, its pool and its retries along.
 */
export type Probe = (address: Address, timeoutMs: number) => Promise<boolean>;

/** CQL native protocol v4, section 2: OPTIONS (5) without a body is answered by SUPPORTED (6). */
export const probeCassandra: Probe = async (address, timeoutMs) => {
  const frame = Uint8Array.of(0x04, 0, 0, 0, 0x05, 0, 0, 0, 0);
  const answer = await exchange(address, frame, ({ length }) => length >= 5, timeoutMs);
  return answer?.[4] === 0x06;
};

/** PostgreSQL protocol 3.0: a startup message gets `R` (prove who you are), or `E` while it still starts. */
export const probePostgres: Probe = async (address, timeoutMs) => {
  const parameters = Buffer.from("user\0msgr\0database\0msgr\0\0");
  const head = Buffer.alloc(8);
  head.writeUInt32BE(head.length + parameters.length, 0);
  head.writeUInt32BE(3 << 16, 4);
  const answer = await exchange(address, Buffer.concat([head, parameters]), ({ length }) => length >= 1, timeoutMs);
  return answer?.toString("latin1", 0, 1) === "R";
};

/** `-LOADING` is an answer too, but not the one. */
export const probeRedis: Probe = async (address, timeoutMs) => {
  const answer = await exchange(address, Buffer.from("PING\r\n"), (bytes) => bytes.includes("\r\n"), timeoutMs);
  return answer?.toString("latin1").startsWith("+PONG") === true;
};

const correlation = 0x6d736772;

/**
 * Kafka: METADATA (3) version 4 for no topics. The broker answers before it takes work; it is ready when it lists itself,
 * which it does once the controller has let it in. Response: size, correlation, throttle time, number of brokers.
 */
export const probeKafka: Probe = async (address, timeoutMs) => {
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + 4 + 1);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(3, 4);
  request.writeInt16BE(4, 6);
  request.writeInt32BE(correlation, 8);
  // No client id (null), no topics, and none made.
  request.writeInt16BE(-1, 12);
  const answer = await exchange(address, request, ({ length }) => length >= 16, timeoutMs);
  return answer?.readInt32BE(4) === correlation && answer.readInt32BE(12) > 0;
};

/** Any answer that is not a failure of the server: a bucket server refuses who does not sign. */
export function probeHttp(path: string, isGood: (status: number) => boolean): Probe {
  return async (address, timeoutMs) => {
    const request = Buffer.from(
      `GET ${path} HTTP/1.1\r\nHost: ${address.host}:${address.port}\r\nConnection: close\r\n\r\n`,
    );
    const answer = await exchange(address, request, (bytes) => bytes.includes("\r\n"), timeoutMs);
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer?.toString("latin1") ?? "")?.[1];
    return status !== undefined && isGood(Number(status));
  };
}
