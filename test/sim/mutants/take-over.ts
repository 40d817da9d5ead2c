import type { ConnectionRegistry } from "../../../src/core/ports/connection-registry.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";

/** Registers whoever has the device. */
export async function takeOver(
  registry: ConnectionRegistry,
  userId: Uuid,
  device: number,
  connection: string,
): Promise<undefined> {
  let holder: string | undefined;
  do holder = await registry.register(userId, device, connection, holder);
  while (holder !== undefined);
}
