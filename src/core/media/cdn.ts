import type { MediaObjects } from "../ports/media.ts";
import { signAddress, verifyAddress } from "./signed-address.ts";

/**
 * Media behind a cache. Readers get addresses of the cache, signed by us; for each request the cache first asks `admit`
 * whether it may be answered, and where the bytes come from if it does not have them. So an address that was forged or has
 * expired is refused whether or not its object is in the cache, and the name under which the cache keeps an object holds
 * no signature.
 */
export interface Cdn {
  /** The objects, with addresses of the cache to read them; everything else as it was. */
  readonly objects: MediaObjects;
  /**
   * What a request for this path and query (as they came, nothing decoded or merged) may have at `now`; undefined = nothing:
   * forged, changed, expired, or not written as we write addresses. Errors: those of `signRead`.
   */
  admit(pathAndQuery: string, now: number): Promise<CdnAdmission | undefined>;
}

export interface CdnAdmission {
  /** By which the cache knows the object. */
  readonly name: string;
  /** Path and query, signed, by which the cache gets it from the object store. */
  readonly origin: string;
}

export interface CdnOptions {
  /** What clients call the cache; no slash at its end. */
  readonly url: string;
  /** The same in every server process. */
  readonly key: Uint8Array;
  /** For how long the cache may fetch after it was admitted: longer than the slowest download takes. */
  readonly originTtlMs: number;
}

/**
 * Exactly what `signAddress` writes. Whatever a proxy would make into another path (dots, doubled slashes, escapes) is not
 * that, so that two spellings of a path never reach the cache as one.
 */
const address = /^\/media\/(?<name>[0-9a-f]{32})\?(?<query>expires=\d{1,15}&signature=[\w-]{43})$/;

export function createCdn(objects: MediaObjects, { url, key, originTtlMs }: CdnOptions): Cdn {
  return {
    objects: {
      ...objects,
      signRead: (name, expiresAt) => Promise.resolve(`${url}${signAddress(key, { action: "read", name }, expiresAt)}`),
    },
    async admit(pathAndQuery, now) {
      const { name = "", query = "" } = address.exec(pathAndQuery)?.groups ?? {};
      const grant = verifyAddress(key, "GET", name, new URLSearchParams(query), now);
      if (grant === undefined) return undefined;
      const origin = new URL(await objects.signRead(name, now + originTtlMs));
      return { name, origin: `${origin.pathname}${origin.search}` };
    },
  };
}
