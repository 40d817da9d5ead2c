import { connect } from "node:net";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, as stack.json has it. */
export function parseAddress(text: string): Address {
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}

/** Nobody answers a greeting with more than this. */
const answerBytesMax = 64 * 1024;

/**
 * Sends a request and answers the bytes that come back, as soon as `isWhole` says that they suffice. Undefined = no
 * connection, an early end, or no such answer within `timeoutMs`.
 */
export function exchange(
  address: Address,
  request: Uint8Array,
  isWhole: (answer: Buffer) => boolean,
  timeoutMs: number,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect(address);
    let answer = Buffer.alloc(0);
    const finish = (result: Buffer | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    socket.once("connect", () => socket.write(request));
    socket.once("error", () => finish(undefined));
    socket.once("close", () => finish(undefined));
    socket.on("data", (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (isWhole(answer)) finish(answer);
      else if (answer.length > answerBytesMax) finish(undefined);
    });
  });
}
