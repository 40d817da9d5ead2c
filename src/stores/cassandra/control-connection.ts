import type { Client } from "cassandra-driver";

/**
 * The driver (4.10, lib/control-connection.js) keeps one connection to learn of the nodes. When that is lost twice in a row,
 * as by a node that dies while it starts, two `_refresh` run at once: the later one sets `connection` to null, the earlier
 * one then reads a field of it in its catch block. It runs on a timer, so its rejection ended the whole process. Here such a
 * rejection is told, and the connection is sought again unless the other one has found it.
 */
const refreshName = "_refresh";

interface ControlConnection {
  connection: object | null;
  [refreshName](hosts?: unknown): Promise<void>;
}

const againMs = 1_000;

/** `onError` must not throw. */
export function guardControlConnection(client: Client | object, onError: (error: unknown) => void): void {
  const control = (client as { readonly controlConnection?: ControlConnection }).controlConnection;
  // Another version of the driver may have it elsewhere, and need none of this.
  if (typeof control?.[refreshName] !== "function") return;
  const refresh = control[refreshName].bind(control);
  control[refreshName] = async (hosts) => {
    try {
      await refresh(hosts);
    } catch (error) {
      onError(error);
      setTimeout(() => void (control.connection === null && control[refreshName]()), againMs).unref();
    }
  };
}
