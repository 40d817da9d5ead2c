import { connect } from "node:net";

/** Whether something listens there. */
export function canConnect(host: string, port: number, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, timeout: timeoutMs });
  const answer = (is: boolean): void => {
    socket.destroy();
    resolve(is);
  };
  socket.once("connect", () => answer(true));
  socket.once("error", () => answer(false));
  socket.once("timeout", () => answer(false));
  return promise;
}
