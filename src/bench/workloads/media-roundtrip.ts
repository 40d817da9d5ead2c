import { systemClock } from "../../base/clock.ts";
import { createSeededRandom, type Random } from "../../base/random.ts";
import type { AuthorisedRequest } from "../../client/runtime/directory-api.ts";
import { ApiError, requestJson } from "../../client/runtime/http.ts";
import { MediaDamagedError } from "../../client/runtime/media-download.ts";
import { bytesSource } from "../../client/runtime/media-source.ts";
import { MediaTransfers } from "../../client/runtime/media-transfers.ts";
import type { MediaReference } from "../../client/runtime/media-upload.ts";
import { mix32, seedFor } from "../data/mix.ts";
import type { LedgerRecorder } from "../ledger/recorder.ts";
import type { Operation } from "../worker/operation.ts";
import { pickSlot, type WorkloadContext, type WorkloadRunner } from "./workload.ts";

/**
 * media.roundtrip: bytes go up, are committed, and come down again, by the client's own transfers with their retries; ends
 * when the digest is right. What was committed and is not there, or is something else, breaks promise I11.
 */
const timeoutMs = 30_000;

export function createMediaRoundtrip(
  context: WorkloadContext,
  sizeBytes: number,
  recorder: LedgerRecorder,
): WorkloadRunner {
  const { fleet } = context;
  const seed = seedFor(context.seed, "media");
  const random = createSeededRandom(seed);
  const closed = new AbortController();

  const travel = async (operation: Operation, slot: number): Promise<void> => {
    const transfers = new MediaTransfers(requestOf(context, slot), { clock: systemClock, random });
    const bytes = contentOf(createSeededRandom(mix32(seed, operation.user, operation.n)), sizeBytes);
    const { signal } = closed;
    const reference = await transfers.upload(bytesSource(bytes), { signal });
    try {
      for await (const _ of transfers.download(reference, { signal }));
    } catch (error) {
      if (isGone(error)) recorder.faults.add("media_lost", () => describe(reference, error));
      throw error;
    }
  };

  return {
    begin(operation) {
      const slot = pickSlot(context, operation, (candidate) => !fleet.isAway(candidate));
      if (slot < 0) return false;
      const settle = async (): Promise<void> => {
        try {
          await travel(operation, slot);
          operation.end();
        } catch (error) {
          operation.end(error instanceof ApiError ? error.code : String(error));
        }
      };
      // It catches whatever happens.
      void settle();
      return true;
    },
    close: () => closed.abort(new Error("the run is over")),
  };
}

/** Of the server that the device is at now: another one after it has moved. */
function requestOf({ fleet }: WorkloadContext, slot: number): AuthorisedRequest {
  return (request) => {
    const { url, token } = fleet.accessOf(slot);
    return requestJson({ url, timeoutMs }, { ...request, accessToken: token });
  };
}

function contentOf(random: Random, sizeBytes: number): Uint8Array {
  return random.fill(new Uint8Array(sizeBytes));
}

function isGone(error: unknown): boolean {
  return error instanceof MediaDamagedError || (error instanceof ApiError && error.status === 404);
}

function describe({ mediaId, sizeBytes }: MediaReference, error: unknown): string {
  return `media ${mediaId} of ${sizeBytes} bytes was committed, then: ${error instanceof Error ? error.message : String(error)}`;
}
