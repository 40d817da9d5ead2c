/**
 * How every object is served, from whichever store: bytes that nobody interprets, that never change, and that only their
 * reader's own cache may keep.
 */
export const objectHeaders = {
  contentType: "application/octet-stream",
  contentDisposition: "attachment",
  cacheControl: "private, max-age=31536000, immutable",
} as const;
