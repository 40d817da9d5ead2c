import type { AuthorisedRequest } from "./directory-api.ts";
import { downloadMedia, saveMedia, type DownloadOptions } from "./media-download.ts";
import type { RetryDeps } from "./media-retry.ts";
import type { MediaSource } from "./media-source.ts";
import { uploadMedia, type MediaReference, type UploadOptions } from "./media-upload.ts";

/** Media of one user: up before a message refers to it, down when somebody looks. Bytes go as they are; see MediaSource. */
export class MediaTransfers {
  readonly #request: AuthorisedRequest;
  readonly #deps: RetryDeps;

  constructor(request: AuthorisedRequest, deps: RetryDeps) {
    this.#request = request;
    this.#deps = deps;
  }

  /** Rejects with ApiError, the signal's reason, or what the source failed with. */
  upload(source: MediaSource, options?: UploadOptions): Promise<MediaReference> {
    return uploadMedia(this.#request, this.#deps, source, options);
  }

  /** Right only if it ends without an error: MediaDamagedError, ApiError, the signal's reason. */
  download(reference: MediaReference, options?: DownloadOptions): AsyncIterable<Uint8Array> {
    return downloadMedia(this.#request, this.#deps, reference, options);
  }

  /** Into a file that is there whole and right, or not at all. */
  save(reference: MediaReference, path: string, options?: DownloadOptions): Promise<void> {
    return saveMedia(this.#request, this.#deps, reference, path, options);
  }
}
