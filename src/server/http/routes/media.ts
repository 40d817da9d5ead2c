import { z } from "zod";
import type { MediaFacts } from "../../../core/media/media-api.ts";
import { timeField, uuidField } from "../../../protocol/fields.ts";
import { limits } from "../../../protocol/limits.ts";
import { WireError } from "../../../protocol/wire-errors.ts";
import { idParams } from "../bodies.ts";
import { endpoint } from "../endpoint.ts";
import type { ApiServices } from "../services.ts";

const sha256Field = z.string().regex(/^[0-9a-f]{64}$/, "not a SHA-256 in 64 lower-case hex digits");
const byteField = z.int().min(0);
const partNumberField = z.int().min(1).max(limits.mediaPartsMax);

const factsBody = z.object({ media_id: uuidField, size_bytes: z.int().min(1), sha256: sha256Field });

function factsToBody({ mediaId, sizeBytes, sha256 }: MediaFacts): z.infer<typeof factsBody> {
  return { media_id: mediaId, size_bytes: sizeBytes, sha256: Buffer.from(sha256).toString("hex") };
}

export const createMedia = endpoint(
  {
    method: "POST",
    url: "/api/media",
    rule: "media",
    summary: "Begin an upload: where to PUT the bytes",
    body: z.object({ size_bytes: z.int().min(1), sha256: sha256Field }),
    status: 201,
    answer: z.object({
      media_id: uuidField,
      expires_at: timeField,
      upload: z.object({
        parts: z.array(
          z.object({
            number: partNumberField,
            method: z.literal("PUT"),
            url: z.string(),
            headers: z.record(z.string(), z.string()),
            from_byte: byteField,
            /** Exclusive. */
            to_byte: byteField,
          }),
        ),
      }),
    }),
  },
  async (services, caller, { body, origin }) => {
    const draft = { sizeBytes: body.size_bytes, sha256: Buffer.from(body.sha256, "hex") };
    const { mediaId, expiresAt, parts } = await services.media.begin(caller, draft);
    return {
      media_id: mediaId,
      expires_at: expiresAt,
      upload: {
        parts: parts.map(({ number, url, headers, fromByte, toByte }) => ({
          number,
          method: "PUT" as const,
          url: absolute(services, url, origin),
          headers,
          from_byte: fromByte,
          to_byte: toByte,
        })),
      },
    };
  },
);

export const commitMedia = endpoint(
  {
    method: "POST",
    url: "/api/media/:id/commit",
    rule: "media",
    summary: "End an upload: its size and digest are checked. Idempotent",
    params: idParams,
    body: z.object({
      /** Of an upload in several parts: what each PUT answered. */
      parts: z
        .array(z.object({ number: partNumberField, etag: z.string().min(1).max(128) }))
        .max(limits.mediaPartsMax)
        .optional(),
    }),
    status: 200,
    answer: factsBody,
  },
  async ({ media }, caller, { params, body }) => factsToBody(await media.commit(caller, params.id, body.parts ?? [])),
);

export const readMedia = endpoint(
  {
    method: "GET",
    url: "/api/media/:id",
    summary: "Where to GET the bytes of media, for a while",
    params: idParams,
    status: 200,
    answer: factsBody.extend({ url: z.string(), expires_at: timeField }),
  },
  async (services, _caller, { params, origin }) => {
    const download = await services.media.locate(params.id);
    return {
      ...factsToBody(download),
      url: absolute(services, download.url, origin),
      expires_at: download.expiresAt,
    };
  },
);

/** Addresses of this server begin with what clients call it: by configuration, or as this client did. */
function absolute({ publicUrl }: ApiServices, url: string, origin: string): string {
  if (!url.startsWith("/")) return url;
  const base = publicUrl ?? origin;
  if (!URL.canParse(base)) throw new WireError("bad_request", { detail: "the Host header names no server" });
  return `${base.replace(/\/+$/, "")}${url}`;
}
