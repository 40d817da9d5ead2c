import { Readable } from "node:stream";
import type { MediaObjects, MediaRow, MediaRows, MediaState } from "../../../src/core/ports/media.ts";
import { planParts } from "../../../src/core/media/part-plan.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";

/** Rows of media, in memory; kept to the contract of MediaRows. */
export class MemoryMediaRows implements MediaRows {
  readonly rows = new Map<Uuid, MediaRow>();

  async create(row: Omit<MediaRow, "state" | "attachedAt">): Promise<void> {
    this.rows.set(row.mediaId, { ...row, state: "uploading", attachedAt: 0 });
  }

  async byId(mediaId: Uuid): Promise<MediaRow | undefined> {
    return this.rows.get(mediaId);
  }

  async ready(mediaId: Uuid): Promise<MediaRow | undefined> {
    return this.#move(mediaId, ["uploading", "ready"], "ready");
  }

  async reject(mediaId: Uuid): Promise<boolean> {
    return this.#move(mediaId, ["uploading", "doomed"], "doomed") !== undefined;
  }

  async attach(mediaId: Uuid, at: number): Promise<boolean> {
    const row = this.#move(mediaId, ["ready"], "ready");
    if (row?.attachedAt === 0) this.rows.set(mediaId, { ...row, attachedAt: at });
    return row !== undefined;
  }

  async doom(before: number, rowsMax: number): Promise<readonly MediaRow[]> {
    const all = [...this.rows.values()].toSorted((one, other) => one.createdAt - other.createdAt);
    const earlier = all.filter(({ state }) => state === "doomed");
    const loose = all.filter((row) => row.state !== "doomed" && row.attachedAt === 0 && row.createdAt < before);
    const doomed = loose
      .slice(0, rowsMax)
      .map(({ mediaId, state }) => this.#move(mediaId, [state], "doomed") as MediaRow);
    return [...earlier, ...doomed];
  }

  async remove(mediaId: Uuid): Promise<void> {
    if (this.rows.get(mediaId)?.state === "doomed") this.rows.delete(mediaId);
  }

  #move(mediaId: Uuid, from: readonly MediaState[], state: MediaState): MediaRow | undefined {
    const row = this.rows.get(mediaId);
    if (row === undefined || !from.includes(row.state)) return undefined;
    const moved = { ...row, state };
    this.rows.set(mediaId, moved);
    return moved;
  }
}

/** Objects whose bytes a test puts there by itself. */
export class MemoryMediaObjects implements MediaObjects {
  readonly objects = new Map<string, Uint8Array>();
  /** By name: what a multipart upload was put together of. */
  readonly finished = new Map<string, readonly { readonly number: number; readonly etag: string }[]>();
  readonly removed: string[] = [];
  reads = 0;

  async plan({ sizeBytes }: { readonly sizeBytes: number }) {
    const parts = planParts(sizeBytes).map((part) => ({ ...part, url: `/${part.number}`, headers: {} }));
    return parts.length === 1 ? { parts } : { uploadId: "upload", parts };
  }

  async finish(name: string, _uploadId: string, parts: readonly { readonly number: number; readonly etag: string }[]) {
    this.finished.set(name, parts);
    return this.objects.has(name);
  }

  async sizeBytes(name: string): Promise<number | undefined> {
    return this.objects.get(name)?.length;
  }

  async read(name: string): Promise<Readable> {
    this.reads++;
    return Readable.from([this.objects.get(name) ?? new Uint8Array(0)]);
  }

  async signRead(name: string, expiresAt: number): Promise<string> {
    return `/${name}?${expiresAt}`;
  }

  async remove(name: string): Promise<void> {
    this.removed.push(name);
    this.objects.delete(name);
  }
}
