import type { Endpoint } from "./endpoint.ts";
import { login, logout, refresh, register } from "./routes/account.ts";
import {
  addGroupMembers,
  createGroup,
  readGroup,
  removeGroupMember,
  renameGroup,
  setGroupRoles,
} from "./routes/groups.ts";
import { deleteDevice, readDevices, readMe, readSettings, updateMe, updateSettings } from "./routes/me.ts";
import {
  listConversations,
  readConversationSettings,
  readMessages,
  readReceipts,
  writeConversationSettings,
} from "./routes/conversations.ts";
import { commitMedia, createMedia, readMedia } from "./routes/media.ts";
import { sendMessage } from "./routes/messages.ts";
import {
  deleteBlock,
  deleteContact,
  listBlocks,
  listContacts,
  putBlock,
  putContact,
  readPresence,
  readUser,
  readUserByHandle,
} from "./routes/people.ts";

/** The public API, whole. docs/protocol.md has the same list in words. */
export const endpoints: readonly Endpoint[] = [
  register,
  login,
  refresh,
  logout,
  readMe,
  updateMe,
  readSettings,
  updateSettings,
  readDevices,
  deleteDevice,
  readUserByHandle,
  readUser,
  listContacts,
  putContact,
  deleteContact,
  listBlocks,
  putBlock,
  deleteBlock,
  createGroup,
  readGroup,
  renameGroup,
  addGroupMembers,
  removeGroupMember,
  setGroupRoles,
  sendMessage,
  listConversations,
  readMessages,
  readReceipts,
  readConversationSettings,
  writeConversationSettings,
  readPresence,
  createMedia,
  commitMedia,
  readMedia,
];
