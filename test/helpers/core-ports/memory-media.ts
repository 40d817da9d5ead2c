import type { MediaAttachments } from "../../../src/core/ports/media.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { fairWeather, under, type Weather } from "./weather.ts";

/** What a send sees of media: which there is, and when the first message referred to it (0 = none has). */
export class MemoryMedia implements MediaAttachments {
  weather: Weather;
  readonly attachedAt = new Map<Uuid, number>();

  constructor(weather: Weather = fairWeather()) {
    this.weather = weather;
  }

  /** Media that was uploaded and committed; at once and without weather. */
  put(mediaId: Uuid): void {
    this.attachedAt.set(mediaId, 0);
  }

  attach(mediaId: Uuid, at: number): Promise<boolean> {
    return under(this.weather, "media.attach", () => {
      const before = this.attachedAt.get(mediaId);
      if (before === 0) this.attachedAt.set(mediaId, at);
      return before !== undefined;
    });
  }
}
