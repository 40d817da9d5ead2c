import { createDeferred, type Deferred } from "../../base/deferred.ts";
import type { RedisClient } from "../../stores/redis/connect.ts";
import { RawWriter } from "../../stores/redis/raw-writer.ts";
import { encodeCommand } from "../../stores/redis/resp.ts";

/** Writes of one turn of the event loop as one pipeline: the way in which a server writes heartbeats. */
export interface TickWriter {
  /** Resolves when everything of this turn is answered; rejects when any of it was refused. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  close(): void;
}

/** One pipeline at most; a longer one would only be held longer. */
const commandsPerPipelineMax = 4_096;

type Pipeline = ReturnType<RedisClient["commands"]["pipeline"]>;

/** By the driver alone: an explicit pipeline a turn. Of a client that is somebody else's to close. */
export function createPipelineWriter({ commands }: RedisClient): TickWriter {
  let filling: { readonly pipeline: Pipeline; readonly done: Deferred<void>; count: number } | undefined;
  const flush = (): void => {
    const batch = filling;
    filling = undefined;
    batch?.pipeline.exec().then(
      (replies) => {
        const failure = replies?.find(([error]) => error !== null)?.[0];
        if (failure === undefined || failure === null) batch.done.resolve();
        else batch.done.reject(failure);
      },
      (error: unknown) => batch.done.reject(error),
    );
  };
  return {
    set(key, value, ttlMs) {
      if (filling === undefined) {
        filling = { pipeline: commands.pipeline(), done: createDeferred<void>(), count: 0 };
        setImmediate(flush);
      }
      const { pipeline, done } = filling;
      pipeline.set(key, value, "PX", ttlMs);
      if (++filling.count >= commandsPerPipelineMax) flush();
      return done.promise;
    },
    close() {},
  };
}

/** By our protocol writer, on a connection of its own, without the bookkeeping of presence. */
export async function openRawTickWriter(options: ConstructorParameters<typeof RawWriter>[0]): Promise<TickWriter> {
  const writer = new RawWriter(options);
  await writer.open();
  return {
    set: (key, value, ttlMs) => writer.write(encodeCommand(["SET", key, value, "PX", ttlMs]), 1),
    close: () => writer.close(),
  };
}
