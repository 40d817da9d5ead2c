import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Random } from "../../base/random.ts";
import { type Cdn, createCdn } from "../../core/media/cdn.ts";
import { createMedia } from "../../core/media/create-media.ts";
import type { MediaApi } from "../../core/media/media-api.ts";
import type { MediaFiles, MediaObjects, MediaRows } from "../../core/ports/media.ts";
import type { Config } from "../config/config-schema.ts";
import type { Metrics } from "../metrics.ts";
import { limits } from "../../protocol/limits.ts";
import { createGarbageBound } from "./young-garbage.ts";
import { OrphanCollector } from "./orphan-collector.ts";

export interface MediaServices {
  readonly media: MediaApi;
  readonly mediaFiles: MediaFiles | undefined;
  /** Admits the requests of a cache in front of the objects; undefined = there is none. */
  readonly cdn: Cdn | undefined;
  /** To be told of bytes of media that passed through this process. */
  readonly onMediaPassed: (bytes: number) => void;
  readonly orphans: OrphanCollector;
}

/** As a profile opens them. */
export interface MediaStores {
  readonly mediaRows: MediaRows;
  readonly mediaObjects: MediaObjects;
  /** undefined = clients reach the objects without this process. */
  readonly mediaFiles: MediaFiles | undefined;
}

const hourMs = 3_600_000;

/** What a server does about media, on the stores of its profile. */
export function createMediaServices(
  config: Config["media"],
  stores: MediaStores,
  deps: { readonly clock: Clock; readonly random: Random; readonly log: Logger; readonly metrics: Metrics },
): MediaServices {
  const { clock, random, log, metrics } = deps;
  const urlTtlMs = config.url_ttl_seconds * 1_000;
  const cdn = cdnOf(config, stores, urlTtlMs);
  const common = { rows: stores.mediaRows, objects: cdn?.objects ?? stores.mediaObjects, urlTtlMs, clock, random };
  const onMediaPassed = createGarbageBound(limits.mediaPartBytes);
  return {
    media: createMedia({
      ...common,
      onUpload: () => metrics.media("upload"),
      onCommit: (outcome) => metrics.media(outcome),
      onPassed: onMediaPassed,
    }),
    mediaFiles: stores.mediaFiles,
    cdn,
    onMediaPassed,
    orphans: new OrphanCollector({
      ...common,
      orphanMs: config.orphan_hours * hourMs,
      log,
      onRemoved: (count) => metrics.media("orphan_removed", count),
    }),
  };
}

/** A process that keeps the bytes itself serves them itself. */
function cdnOf(config: Config["media"], { mediaObjects, mediaFiles }: MediaStores, urlTtlMs: number): Cdn | undefined {
  const { cdn_url: url, signing_key: key } = config;
  if (url === undefined || key === undefined || mediaFiles !== undefined) return undefined;
  return createCdn(mediaObjects, { url: url.replace(/\/+$/, ""), key: Buffer.from(key), originTtlMs: urlTtlMs });
}
