import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../../base/clock.ts";
import { objectHeaders } from "../../core/media/object-headers.ts";
import type { MediaFiles, MediaGrant, OpenMedia } from "../../core/ports/media.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { namesEtag, parseByteRange } from "./byte-range.ts";
import { watchProgress } from "./watch-progress.ts";

interface ServeMediaDeps {
  readonly files: MediaFiles;
  readonly clock: Clock;
  /** So many bytes were taken in and are on the disk. */
  onPassed(bytes: number): void;
  /** Downloads at once; absent = limits.mediaDownloadsAtOnceMax. */
  readonly downloadsAtOnceMax?: number;
}

/**
 * The addresses of media that this process keeps itself: they answer as an S3 store does. Whoever has one needs no token;
 * what it allows is in its signature.
 */
export function serveMedia(app: FastifyInstance, deps: ServeMediaDeps): void {
  const downloads = { count: 0, max: deps.downloadsAtOnceMax ?? limits.mediaDownloadsAtOnceMax };
  app.register(async (scope) => {
    // Whatever the body is called, it is bytes, and nobody but the handler reads them.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    scope.put("/media/:object", (request, reply) => upload(deps, request, reply));
    scope.route({
      method: ["GET", "HEAD"],
      url: "/media/:object",
      exposeHeadRoute: false,
      handler: (request, reply) => download(deps, downloads, request, reply),
    });
  });
}

/** What the address of the request allows. Errors: bad_signature. */
function grantOf({ files, clock }: ServeMediaDeps, method: "GET" | "PUT", request: FastifyRequest): MediaGrant {
  const { object } = request.params as { readonly object: string };
  const query = new URLSearchParams(request.url.split("?")[1] ?? "");
  const grant = files.grant(method, object, query, clock.nowMs());
  if (grant === undefined) throw new WireError("bad_signature");
  return grant;
}

async function upload(deps: ServeMediaDeps, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const grant = grantOf(deps, "PUT", request);
  if (grant.action !== "write") throw new WireError("bad_signature");
  const length = request.headers["content-length"];
  if (length !== String(grant.sizeBytes)) {
    const told = length === undefined ? "no Content-Length" : `Content-Length ${length}`;
    throw new WireError("bad_request", { detail: `${told}; this address takes ${grant.sizeBytes} bytes` });
  }
  const stopWatching = watchProgress(deps.clock, request.raw.socket);
  try {
    return await reply.header("etag", await deps.files.write(grant, request.raw)).send();
  } catch (error) {
    if (error instanceof WireError || request.raw.complete) throw error;
    throw new WireError("bad_request", { detail: "the connection ended before the body", cause: error });
  } finally {
    stopWatching();
    deps.onPassed(grant.sizeBytes);
  }
}

async function download(
  deps: ServeMediaDeps,
  downloads: { count: number; readonly max: number },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { name } = grantOf(deps, "GET", request);
  if (downloads.count >= downloads.max) throw new WireError("overloaded", { retryAfterMs: 1_000 });
  // Counted before anything is waited for: those who ask at once must not all be let in.
  downloads.count++;
  const media = await openCounted(deps.files, name, downloads);
  const stopWatching = watchProgress(deps.clock, request.raw.socket);
  const end = async (): Promise<void> => {
    stopWatching();
    downloads.count--;
    await media[Symbol.asyncDispose]();
  };
  const range = answerHead(name, media, request, reply);
  if (range === undefined || request.method === "HEAD") {
    await end();
    return reply.send();
  }
  const bytes = media.read(range.fromByte, range.toByte);
  // Also when the reader went away: fastify ends the stream then. A file that cannot be closed is of no interest to anybody.
  bytes.once("close", () => void end().catch(() => undefined));
  return reply.send(bytes);
}

/** Errors: no_such_media, and what the files answer; then it counts no more. */
async function openCounted(files: MediaFiles, name: string, downloads: { count: number }): Promise<OpenMedia> {
  try {
    const media = await files.open(name);
    if (media === undefined) throw new WireError("no_such_media");
    return media;
  } catch (error) {
    downloads.count--;
    throw error;
  }
}

/** Status and headers; answers what the body is, if there is one. */
function answerHead(name: string, { sizeBytes }: OpenMedia, request: FastifyRequest, reply: FastifyReply) {
  // An object never changes, so that its name says all.
  const etag = `"${name}"`;
  const { range: asked, "if-range": ifRange, "if-none-match": ifNoneMatch } = request.headers;
  void reply.headers({
    etag,
    "accept-ranges": "bytes",
    "cache-control": objectHeaders.cacheControl,
    "x-content-type-options": "nosniff",
  });
  if (namesEtag(ifNoneMatch, etag)) {
    void reply.code(304);
    return undefined;
  }
  const sameObject = ifRange === undefined || namesEtag(String(ifRange), etag);
  const range = sameObject ? parseByteRange(asked, sizeBytes) : undefined;
  if (range === "unsatisfiable") {
    void reply.code(416).header("content-range", `bytes */${sizeBytes}`);
    return undefined;
  }
  const { fromByte, toByte } = range ?? { fromByte: 0, toByte: sizeBytes };
  if (range !== undefined) {
    void reply.code(206).header("content-range", `bytes ${fromByte}-${toByte - 1}/${sizeBytes}`);
  }
  void reply.headers({
    "content-type": objectHeaders.contentType,
    "content-disposition": objectHeaders.contentDisposition,
    "content-length": String(toByte - fromByte),
  });
  return { fromByte, toByte };
}
