import { readdirSync } from "node:fs";
import { afterAll } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createSystemRandom } from "../../src/base/random.ts";
import { installErrors } from "../../src/server/http/refusals.ts";
import { createListener, listen, urlOf } from "../../src/server/listener.ts";
import { serveMedia } from "../../src/server/media/serve-media.ts";
import { openFilesystemMedia } from "../../src/stores/filesystem/media.ts";
import { temporaryFolder } from "../helpers/server-process.ts";
import { describeMediaObjects, type MediaObjectsHarness } from "./media-objects.contract.ts";

const failures: unknown[] = [];

afterAll(() => {
  if (failures.length > 0) throw new AggregateError(failures, "requests failed");
});

describeMediaObjects("filesystem", async (): Promise<MediaObjectsHarness> => {
  const folder = temporaryFolder();
  const media = await openFilesystemMedia(folder.path, { random: createSystemRandom() });
  const app = createListener();
  installErrors(app, { onFailure: (error) => void failures.push(error) });
  serveMedia(app, { files: media, clock: systemClock, onPassed: () => undefined });
  const base = urlOf(await listen(app, { host: "127.0.0.1", port: 0, anyPort: false, exclusive: false }));
  return {
    objects: media,
    base,
    async [Symbol.asyncDispose]() {
      await app.close();
      const left = readdirSync(`${folder.path}/incoming`);
      if (left.length > 0) failures.push(new Error(`left in incoming: ${left.join(", ")}`));
      folder[Symbol.dispose]();
    },
  };
});
