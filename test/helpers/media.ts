import { createHash, randomBytes } from "node:crypto";
import { expect } from "vitest";
import { api, type Answer } from "./api.ts";

/** A client of media as docs/protocol.md describes it, a step at a time. */

export interface AnnouncedPart {
  readonly number: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly from_byte: number;
  readonly to_byte: number;
}

export interface Announced {
  readonly mediaId: string;
  readonly expiresAt: number;
  readonly parts: readonly AnnouncedPart[];
}

interface Place {
  readonly url: string;
}

export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Bytes that no other test has. */
export const freshBytes = (sizeBytes: number): Buffer => randomBytes(sizeBytes);

export async function announce(
  server: Place,
  token: string,
  bytes: Uint8Array,
  over: { readonly size_bytes?: number; readonly sha256?: string } = {},
): Promise<Announced> {
  const body = { size_bytes: bytes.length, sha256: sha256Of(bytes), ...over };
  const answer = await api(server, "POST /api/media", { token, body });
  expect(answer.status).toBe(201);
  const { media_id, expires_at, upload } = answer.body as unknown as {
    media_id: string;
    expires_at: number;
    upload: { parts: readonly AnnouncedPart[] };
  };
  return { mediaId: media_id, expiresAt: expires_at, parts: upload.parts };
}

export function putPart(part: AnnouncedPart, bytes: Uint8Array): Promise<Response> {
  const body = bytes.subarray(part.from_byte, part.to_byte);
  return fetch(part.url, { method: part.method, headers: part.headers, body: body as Uint8Array<ArrayBuffer> });
}

export interface CommitPart {
  readonly number: number;
  readonly etag: string;
}

/** Puts every part; answers what a commit has to name. */
export async function putParts(parts: readonly AnnouncedPart[], bytes: Uint8Array): Promise<readonly CommitPart[]> {
  const done: CommitPart[] = [];
  for (const part of parts) {
    const response = await putPart(part, bytes);
    expect([response.status, await response.text()]).toEqual([200, ""]);
    done.push({ number: part.number, etag: response.headers.get("etag") ?? "" });
  }
  return done;
}

export function commit(server: Place, token: string, mediaId: string, parts?: readonly CommitPart[]): Promise<Answer> {
  const body = parts === undefined ? {} : { parts };
  return api(server, "POST /api/media/:id/commit", { token, params: { id: mediaId }, body });
}

/** Announces, uploads and commits; answers the id. */
export async function uploadAll(server: Place, token: string, bytes: Uint8Array): Promise<string> {
  const { mediaId, parts } = await announce(server, token, bytes);
  const done = await putParts(parts, bytes);
  const answer = await commit(server, token, mediaId, done);
  expect(answer).toMatchObject({
    status: 200,
    body: { media_id: mediaId, size_bytes: bytes.length, sha256: sha256Of(bytes) },
  });
  return mediaId;
}

/** The address of its bytes. */
export async function locate(server: Place, token: string, mediaId: string): Promise<string> {
  const answer = await api(server, "GET /api/media/:id", { token, params: { id: mediaId } });
  expect(answer.status).toBe(200);
  return answer.body["url"] as string;
}
