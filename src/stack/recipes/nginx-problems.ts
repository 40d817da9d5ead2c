/**
 * What nginx says by itself, in the words of the servers: a test compares them with the table of errors. Whether a request
 * that got no answer was done is not known: `undecided`.
 */
export const problems = {
  draining: problem({
    code: "draining",
    status: 503,
    title: "The server is shutting down.",
    detail: "No server answered.",
    temporary: true,
    fix: "Connect again after retry_after_ms.",
    undecided: true,
    retry_after_ms: 1_000,
  }),
  bad_signature: problem({
    code: "bad_signature",
    status: 403,
    title: "The signed address was changed or has expired.",
    detail: "The signed address was changed or has expired.",
    temporary: false,
    fix: "Ask for a new one: GET /api/media/:id to download, POST /api/media to upload.",
  }),
  no_such_media: problem({
    code: "no_such_media",
    status: 404,
    title: "There is no such media, or it was not committed.",
    detail: "There is no such media, or it was not committed.",
    temporary: false,
    fix: "Check the id; upload and commit before sending. Media that no message refers to is deleted after a while.",
  }),
  store_unavailable: problem({
    code: "store_unavailable",
    status: 503,
    title: "A store did not answer in time.",
    detail: "A store did not answer in time.",
    temporary: true,
    fix: "Retry with backoff; nothing that was acked is affected.",
    retry_after_ms: 1_000,
  }),
} as const;

function problem(fields: { readonly code: string } & Readonly<Record<string, string | number | boolean>>): string {
  const text = JSON.stringify({ type: `urn:msgr:error:${fields.code}`, ...fields });
  if (/['$\\]/.test(text)) throw new Error(`nginx would read something else: ${text}`);
  return text;
}
