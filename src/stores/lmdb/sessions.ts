import type { Sessions } from "../../core/ports/sessions.ts";
import type { Environment } from "./environment.ts";
import { uuidKey } from "./keys.ts";
import { openSession } from "./open-session.ts";
import { revokeSessions } from "./revoke-sessions.ts";
import { rotateSession } from "./rotate-session.ts";
import {
  accessHashes,
  hashKey,
  loggedOut,
  openFamilies,
  readDevices,
  refreshHashes,
  sessions,
} from "./session-tables.ts";

/**
 * Devices and sessions in LMDB. A family is open from its login until logout, removal of its device, another login on
 * the device, or the return of a refresh token that was used; then it is gone with all its tokens.
 */
export function createLmdbSessions(environment: Environment): Sessions {
  return {
    open: (login) => environment.write((transaction) => openSession(transaction, login)),

    async byAccess(accessHash) {
      const familyId = environment.get(accessHashes, hashKey(accessHash));
      const session = familyId === undefined ? undefined : environment.get(sessions, uuidKey(familyId));
      return familyId === undefined || session === undefined ? undefined : { ...session, familyId };
    },

    async rotate(refreshHash, next, at) {
      // Looked up before it costs a turn of the writer: guessing tokens must not slow down those who write.
      if (environment.get(refreshHashes, hashKey(refreshHash)) === undefined) return { outcome: "unknown" };
      return environment.write((transaction) => rotateSession(transaction, refreshHash, next, at));
    },

    async devices(userId) {
      return readDevices(environment, userId).devices.map((device) => ({ userId, ...loggedOut(device) }));
    },

    revoke: (userId, scope) => environment.write((transaction) => revokeSessions(transaction, userId, scope)),

    async alive(familyIds) {
      return new Set(familyIds.filter((familyId) => environment.get(openFamilies, uuidKey(familyId)) !== undefined));
    },
  };
}
