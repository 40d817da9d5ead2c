import { fastify } from "fastify";
import { Readable } from "node:stream";
import { expect, test, vi } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { createDeferred } from "../../base/deferred.ts";
import type { MediaFiles, OpenMedia } from "../../core/ports/media.ts";
import { refuse, toWireError } from "../http/refusals.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { serveMedia } from "./serve-media.ts";

/** Two downloads at once, of files that are opened when the test says so; some are not there. */
function setUp() {
  const opened = createDeferred<void>();
  const media: OpenMedia = {
    sizeBytes: 2,
    read: () => Readable.from([Buffer.from("ok")]),
    [Symbol.asyncDispose]: async () => {},
  };
  const files = {
    grant: (_method: string, name: string) => ({ action: "read", name }),
    open: async (name: string) => {
      await opened.promise;
      return name === "gone" ? undefined : media;
    },
  } as unknown as MediaFiles;
  const app = fastify();
  app.setErrorHandler((error, _request, reply) => void refuse(reply, toWireError(error) ?? new WireError("internal")));
  serveMedia(app, { files, clock: new ManualClock(), onPassed: () => undefined, downloadsAtOnceMax: 2 });
  const get = async (name: string): Promise<number> => (await app.inject({ url: `/media/${name}` })).statusCode;
  return { opened, get };
}

test("of many who ask at one moment no more are let in than may download at once, and each leaves again", async () => {
  const { opened, get } = setUp();
  const asked = ["a", "b", "c", "d"].map((name) => get(name));
  const refused = await Promise.race(asked);
  expect(refused).toBe(503);
  opened.resolve();
  const answers = await Promise.all(asked);
  expect(answers.filter((status) => status === 200)).toHaveLength(2);
  expect(answers.filter((status) => status === 503)).toHaveLength(2);
  for (let again = 0; again < 3; again++) {
    // A file is closed a moment after its last byte was answered.
    await vi.waitFor(async () => expect(await get("gone")).toBe(404));
    await vi.waitFor(async () => expect(await get("a")).toBe(200));
  }
});
