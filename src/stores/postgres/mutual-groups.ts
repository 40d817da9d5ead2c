import type { Uuid } from "../../protocol/ids.ts";
import type { Queries } from "./postgres.ts";
import { statement } from "./statement.ts";

/** Cannot answer more rows than one user has groups; the limit is for what the caller wants to show. */
const mutualGroupsOf = statement(
  "mutual_groups",
  `SELECT g.group_id, g.name
   FROM group_members one
   JOIN group_members other USING (group_id)
   JOIN groups g USING (group_id)
   WHERE one.user_id = $1 AND other.user_id = $2
   ORDER BY g.group_id
   LIMIT $3`,
);

/** Groups that both are members of now, oldest id first, at most `groupsMax`. */
export async function mutualGroups(
  queries: Queries,
  oneId: Uuid,
  otherId: Uuid,
  groupsMax: number,
): Promise<readonly { readonly groupId: Uuid; readonly name: string }[]> {
  const { rows } = await queries.query<{ readonly group_id: Uuid; readonly name: string }>(mutualGroupsOf, [
    oneId,
    otherId,
    groupsMax,
  ]);
  return rows.map(({ group_id: groupId, name }) => ({ groupId, name }));
}
