import { once } from "node:events";
import { readdirSync } from "node:fs";
import net, { type AddressInfo, type Socket } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createSystemRandom } from "../../src/base/random.ts";
import { installErrors } from "../../src/server/http/refusals.ts";
import { createListener, listen } from "../../src/server/listener.ts";
import { serveMedia } from "../../src/server/media/serve-media.ts";
import { openFilesystemMedia } from "../../src/stores/filesystem/media.ts";
import { temporaryFolder } from "../helpers/server-process.ts";

/** What node does to a connection whose request is not there in time. */
const timeOut = (app: ReturnType<typeof createListener>, socket: Socket): boolean =>
  app.server.emit("clientError", Object.assign(new Error("late"), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), socket);

test("an upload may take longer than a request, as long as it gets on", async () => {
  using folder = temporaryFolder();
  const media = await openFilesystemMedia(folder.path, { random: createSystemRandom() });
  const app = createListener();
  installErrors(app, { onFailure: (error) => expect.unreachable(String(error)) });
  serveMedia(app, { files: media, clock: systemClock, onPassed: () => undefined });
  await listen(app, { host: "127.0.0.1", port: 0, anyPort: false, exclusive: false });
  const { port } = app.server.address() as AddressInfo;
  const connected = async (): Promise<readonly [client: Socket, server: Socket, said: Promise<string>]> => {
    const accepted = once(app.server, "connection") as Promise<[Socket]>;
    const client = net.connect(port, "127.0.0.1");
    const said = client.toArray().then((pieces) => Buffer.concat(pieces as Buffer[]).toString());
    return [client, (await accepted)[0], said];
  };

  const name = "0".repeat(32);
  const plan = await media.plan({ name, sizeBytes: 10 }, Date.now() + 60_000);
  const [client, server, said] = await connected();
  client.write(`PUT ${plan.parts[0]?.url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n01234`);
  await expect.poll(() => readdirSync(`${folder.path}/incoming`).length).toBe(1);
  timeOut(app, server);
  client.write("56789");
  expect(await said).toMatch(/^HTTP\/1\.1 200 /);
  expect(await media.sizeBytes(name)).toBe(10);

  const [other, slow, refused] = await connected();
  other.write("POST /media HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
  timeOut(app, slow);
  expect(await refused).toMatch(/^HTTP\/1\.1 408 /);
  await app.close();
});
