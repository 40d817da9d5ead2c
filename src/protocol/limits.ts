import { assert } from "../base/assert.ts";

/**
 * Every bound of the system in one place, unit last. A deployment may lower some of them by configuration, never raise
 * one above what stands here: buffers, tables and the asserts below are sized for these.
 */
export const limits = {
  frameBytesMax: 128 * 1024,
  envelopeBytesMax: 64 * 1024,
  frameFragmentsMax: 64,
  jsonDepthMax: 16,
  pageBytesMax: 512 * 1024,
  pageRowsMax: 200,
  syncBatchRowsMax: 100,
  syncInitialRows: 50,
  syncBehindRowsMax: 200,
  syncCursorsPerFrameMax: 500,
  syncHeadsMax: 50,
  syncPagesMax: 128,
  syncCursorsMax: 10_000,
  sendQueueBytesMax: 1024 * 1024,
  sendQueueFramesMax: 1024,
  helloTimeoutMs: 5_000,
  silenceTimeoutMs: 90_000,
  heartbeatIntervalMs: 30_000,
  presenceTtlMs: 45_000,
  connectionTtlMs: 60_000,
  lastSeenTtlMs: 30 * 24 * 3_600_000,
  typingTtlMs: 5_000,
  typingRefreshMs: 2_000,
  devicesPerUserMax: 5,
  membersPerGroupMax: 1_024,
  membersDirectFanOutMax: 499,
  watchedUsersMax: 256,
  draftsPerConnectionMax: 1_024,
  draftsPerConversationMax: 4_096,
  draftsPerAppendMax: 64,
  dedupeRowsMax: 4_096,
  bucketRows: 1_024,
  unreadCountMax: 200,
  groupUpdateCoalesceMs: 200,
  groupStatusRows: 64,
  groupStatusTargetsMax: 8,
  groupStatusGroupsMax: 10_000,
  groupStatusFramesMax: 128,
  fanOutChunks: 8,
  fanOutSpreadMs: 10_000,
  fanOutWaitMs: 20_000,
  fanOutCeilingMs: 30_000,
  fanOutMembersPerSecond: 2_048,
  fanOutStepMembers: 8,
  fanOutPushRows: 128,
  fanOutJobsWaitingMax: 32_768,
  fanOutJobsPerCallMax: 64,
  fanOutCallsMax: 512,
  fanOutRetryMs: 1_000,
  blockRecheckMs: 500,
  mediaBytesMax: 100 * 1024 * 1024,
  mediaPartBytes: 8 * 1024 * 1024,
  mediaPartsMax: 13,
  mediaCommitsAtOnceMax: 4,
  mediaCommitsWaitingMax: 256,
  mediaUploadsAtOnceMax: 256,
  mediaDownloadsAtOnceMax: 1_024,
  mediaStallTimeoutMs: 30_000,
  mediaOrphansPerPassMax: 256,
  handleLengthMin: 4,
  handleLengthMax: 32,
  displayNameLengthMax: 64,
  statusMessageLengthMax: 140,
  groupNameLengthMax: 100,
  photoUrlLengthMax: 512,
  deviceNameLengthMax: 64,
  passwordLengthMin: 8,
  passwordLengthMax: 256,
  requestIdLengthMax: 64,
  contactsPerUserMax: 5_000,
  blocksPerUserMax: 5_000,
  groupsPerUserMax: 1_000,
  bulkUsersMax: 10_000,
  httpBodyBytesMax: 128 * 1024,
  adminBodyBytesMax: 16 * 1024 * 1024,
  accessTokenTtlMs: 3_600_000,
  refreshTokenTtlMs: 60 * 24 * 3_600_000,
  refreshHashesKeptMax: 2_048,
  passwordHashesAtOnceMax: 2,
  passwordHashesWaitingMax: 256,
} as const;

const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

// An envelope at its bound must fit a frame with room for every other field, and a page must hold at least one row.
assert(base64Length(limits.envelopeBytesMax) + 8 * 1024 <= limits.frameBytesMax, "an envelope fits a frame");
assert(limits.frameBytesMax <= limits.pageBytesMax, "a page holds any one row");
assert(limits.pageBytesMax <= limits.sendQueueBytesMax, "a page fits a connection's send queue");
assert(limits.syncBatchRowsMax <= limits.pageRowsMax, "a sync batch is a page");
assert(
  limits.syncInitialRows <= limits.syncBehindRowsMax,
  "the first page of a far-behind device is a part of what it lacks",
);
assert(limits.syncCursorsPerFrameMax <= limits.syncCursorsMax, "one frame of cursors fits a synchronisation");
assert(limits.draftsPerAppendMax <= limits.bucketRows, "one append never needs more than one bucket");
assert(limits.mediaPartBytes * limits.mediaPartsMax >= limits.mediaBytesMax, "the parts hold the largest media");
assert(limits.heartbeatIntervalMs < limits.presenceTtlMs, "a punctual client never looks offline");
assert(limits.presenceTtlMs < limits.connectionTtlMs, "routing outlives presence");
assert(limits.heartbeatIntervalMs * 2 < limits.silenceTimeoutMs, "one lost heartbeat does not close a connection");
assert(limits.typingRefreshMs * 2 < limits.typingTtlMs, "one lost refresh does not end a typing indicator");
assert(limits.membersDirectFanOutMax < limits.membersPerGroupMax, "large groups are the larger ones");
assert(limits.fanOutSpreadMs < limits.fanOutWaitMs, "a message that drains at its own pace is never late");
assert(limits.fanOutWaitMs < limits.fanOutCeilingMs, "a job that stopped waiting has time left to be done");
assert(limits.fanOutPushRows >= limits.draftsPerAppendMax, "the rows of one append are pushed, not asked for");
assert(
  limits.refreshHashesKeptMax >= limits.refreshTokenTtlMs / limits.accessTokenTtlMs,
  "a punctual client's refresh tokens are recognised for as long as they would have lived",
);
