import type { Uuid } from "../../protocol/ids.ts";
import type { DirectoryCache } from "../directory-cache.ts";
import type { Groups } from "../ports/groups.ts";

/** The name of a group; undefined = there is no such group. */
export type GroupNames = (groupId: Uuid) => Promise<string | undefined>;

/** From what sends keep in memory; a group that nobody writes to is read. */
export function createGroupNames(groups: Groups, directory: DirectoryCache): GroupNames {
  return async (groupId) => (directory.group(groupId)?.group ?? (await groups.load(groupId)))?.name;
}
