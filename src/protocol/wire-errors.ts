/**
 * The one table of errors that cross the wire, in ERROR frames and in HTTP problem documents alike.
 * `temporary` = the same request may succeed later unchanged. `fix` = what the reader can do.
 * docs/protocol.md prints this table; a test proves them equal.
 */
export interface WireErrorEntry {
  readonly status: number;
  readonly temporary: boolean;
  readonly message: string;
  readonly fix: string;
}

const entry = (status: number, temporary: boolean, message: string, fix: string): WireErrorEntry => ({
  status,
  temporary,
  message,
  fix,
});

export const wireErrors = {
  bad_request: entry(
    400,
    false,
    "The request is malformed.",
    "Compare the fields named in the message with the protocol.",
  ),
  unknown_frame: entry(
    400,
    false,
    "This server does not know that frame type.",
    "Ignore it, or use a server that speaks this type.",
  ),
  bad_envelope: entry(400, false, "The envelope is not base64 or is too large.", "Send at most 64 KiB of base64."),
  cursor_ahead: entry(
    409,
    false,
    "The cursor is ahead of the conversation.",
    "Drop the local copy of this conversation and sync it again.",
  ),
  stale_since: entry(
    409,
    false,
    "Too much happened since the message was first sent to prove that it is new.",
    "Discard it, or send it again under a new message_id.",
  ),
  id_conflict: entry(409, false, "This id already belongs to something else.", "Make a new id."),
  out_of_order: entry(
    409,
    true,
    "An earlier message of this conversation has to be sent again first.",
    "Retry the earlier message, then this one.",
  ),
  version_conflict: entry(
    409,
    false,
    "The group has changed since the version this request expects.",
    "Read the group again and repeat with its version.",
  ),
  unauthenticated: entry(401, false, "The token is missing, wrong or expired.", "Refresh the token or log in again."),
  wrong_password: entry(401, false, "The handle or the password is wrong.", "Check both and try again."),
  token_reused: entry(
    401,
    false,
    "This refresh token was used before; every session of its family is closed.",
    "Log in again; if that was not you, change the password.",
  ),
  device_mismatch: entry(403, false, "The token belongs to another device.", "Use the token of this device."),
  forbidden: entry(403, false, "This account may not do that.", "Ask an administrator or an owner of the group."),
  not_a_member: entry(403, false, "This account is not a member of the conversation.", "Ask a member to add it."),
  privacy_refused: entry(
    403,
    false,
    "The privacy settings of that user do not allow it.",
    "Ask the user to change them or to join otherwise.",
  ),
  no_such_user: entry(404, false, "There is no such user.", "Check the id or the handle."),
  no_such_conversation: entry(
    404,
    false,
    "There is no such conversation for this account.",
    "Check the id; a direct chat exists once a message was sent.",
  ),
  no_such_device: entry(404, false, "There is no such device.", "List the devices of the account."),
  no_such_media: entry(
    404,
    false,
    "There is no such media, or it was not committed.",
    "Check the id; upload and commit before sending. Media that no message refers to is deleted after a while.",
  ),
  media_incomplete: entry(
    409,
    true,
    "Not all of the media was uploaded.",
    "Upload what is missing to the addresses you were given, then commit again with the ETag of every part.",
  ),
  media_mismatch: entry(
    422,
    false,
    "The media that was uploaded has not the size or the digest that was announced; it was deleted.",
    "Begin a new upload with the size and the SHA-256 of the bytes that you send.",
  ),
  media_exists: entry(412, false, "These bytes were uploaded before; nothing is overwritten.", "Commit the upload."),
  bad_signature: entry(
    403,
    false,
    "The signed address was changed or has expired.",
    "Ask for a new one: GET /api/media/:id to download, POST /api/media to upload.",
  ),
  not_found: entry(404, false, "There is nothing at this address.", "Check the address against the protocol."),
  handle_taken: entry(409, false, "Another account has this handle.", "Choose another one."),
  too_many_devices: entry(409, false, "The account already has five devices.", "Remove one first."),
  too_many_members: entry(
    409,
    false,
    "The group would exceed its size limit.",
    "Remove members first or open a second group.",
  ),
  too_many: entry(409, false, "A limit on how many of these one account may have is reached.", "Remove some first."),
  too_large: entry(413, false, "The request exceeds its size limit.", "Send less at a time."),
  range_refused: entry(
    409,
    false,
    "The receipt does not connect to what this device acknowledged before.",
    "Fill the rows in between, then send it again.",
  ),
  rate_limited: entry(429, true, "Too many requests.", "Wait for retry_after_ms."),
  overloaded: entry(
    503,
    true,
    "The server has too much waiting for this conversation or connection.",
    "Retry with backoff.",
  ),
  store_unavailable: entry(
    503,
    true,
    "A store did not answer in time.",
    "Retry with backoff; nothing that was acked is affected.",
  ),
  storage_full: entry(507, true, "The data store is full.", "An operator has to free or add space; retry later."),
  draining: entry(503, true, "The server is shutting down.", "Connect again after retry_after_ms."),
  internal: entry(500, true, "The server failed unexpectedly.", "Retry once; report it if it stays."),
} as const satisfies Record<string, WireErrorEntry>;

export type WireErrorCode = keyof typeof wireErrors;

/** An error that may be told to a client. Everything else becomes `internal` at the edge. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireErrorCode;
  /** For sends: whether the message may or may not be in the log. */
  readonly undecided: boolean;
  readonly retryAfterMs: number | undefined;
  /** Which of several conversations of the request it is about. */
  readonly conversationId: string | undefined;

  constructor(
    code: WireErrorCode,
    options: {
      detail?: string;
      undecided?: boolean;
      retryAfterMs?: number;
      conversationId?: string;
      cause?: unknown;
    } = {},
  ) {
    super(options.detail ?? wireErrors[code].message, { cause: options.cause });
    this.code = code;
    this.undecided = options.undecided ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.conversationId = options.conversationId;
  }

  get temporary(): boolean {
    return wireErrors[this.code].temporary;
  }
}
