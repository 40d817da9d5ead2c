import { assert, present } from "../../base/assert.ts";
import type { GroupChangeDraft, GroupChangeOutcome } from "../../core/ports/groups.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { changeColumns, readGroup, toChange, type ChangeRow } from "./group-rows.ts";
import type { Postgres, Queries } from "./postgres.ts";
import { statement } from "./statement.ts";

/**
 * What both statements do once `moved` has answered the group and its new version, which it does for one caller only:
 * the change, and the members and intervals it makes. $12 joins, $13 leaves, $14 gets the role; at most one is not empty.
 */
const writeChange = `
   change AS (
     INSERT INTO group_changes (group_id, version, message_id, since, actor_id, actor_device, kind, user_ids, role, name, at)
     SELECT group_id, version, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM moved
   ), joined AS (
     INSERT INTO group_members (group_id, user_id, role, joined_version)
     SELECT group_id, user_id, CASE WHEN $7 = 'create' AND user_id = $5 THEN 'owner' ELSE coalesce($9, 'member') END, version
     FROM moved, unnest($12::uuid[]) AS user_id
     ON CONFLICT (group_id, user_id) DO NOTHING
     RETURNING group_id, user_id, joined_version
   ), opened AS (
     INSERT INTO member_intervals (group_id, user_id, joined_version) SELECT group_id, user_id, joined_version FROM joined
   ), gone AS (
     DELETE FROM group_members m USING moved
     WHERE m.group_id = moved.group_id AND m.user_id = ANY($13::uuid[])
     RETURNING m.group_id, m.user_id, m.joined_version, moved.version
   ), closed AS (
     UPDATE member_intervals i SET left_version = gone.version FROM gone
     WHERE i.group_id = gone.group_id AND i.user_id = gone.user_id AND i.joined_version = gone.joined_version
   ), promoted AS (
     UPDATE group_members m SET role = $9 FROM moved
     WHERE m.group_id = moved.group_id AND m.user_id = ANY($14::uuid[])
   )
   SELECT version FROM moved`;

/** Of several with one id the first makes the group; the others wait for it and make nothing. */
const createGroup = statement(
  "create_group",
  `WITH moved AS (
     INSERT INTO groups (group_id, name, creator_id, created_at, membership_version)
     VALUES ($1, coalesce($10, ''), $5, $11, $2::integer + 1)
     ON CONFLICT (group_id) DO NOTHING
     RETURNING group_id, membership_version AS version
   ), ${writeChange}`,
);

/**
 * Of several on one version the first moves it; the others wait for its row and then find another version there. While the
 * version stands, no change was committed since, so what else this statement reads is current as well.
 */
const changeGroup = statement(
  "change_group",
  `WITH moved AS (
     UPDATE groups SET
       membership_version = membership_version + 1,
       name = CASE WHEN $7 = 'rename' THEN coalesce($10, name) ELSE name END
     WHERE group_id = $1 AND membership_version = $2
       AND NOT EXISTS (SELECT FROM group_changes WHERE group_id = $1 AND message_id = $3)
     RETURNING group_id, membership_version AS version
   ), ${writeChange}`,
);

const changeByMessage = statement(
  "change_by_message",
  `SELECT ${changeColumns} FROM group_changes WHERE group_id = $1 AND message_id = $2`,
);

/** Groups.commit. The group is read before COMMIT, while no other change can pass, so it is the one this change made. */
export async function commitGroupChange(postgres: Postgres, draft: GroupChangeDraft): Promise<GroupChangeOutcome> {
  return postgres.transaction(async (transaction) => {
    const isCreate = draft.kind === "create";
    const { rows } = await transaction.query<{ readonly version: number }>(
      isCreate ? createGroup : changeGroup,
      valuesOf(draft),
    );
    const [moved] = rows;
    if (moved === undefined) return refusal(transaction, draft);
    const group = present(await readGroup(transaction, draft.groupId), "the group that was just changed");
    assert(group.members.length <= limits.membersPerGroupMax, "the caller keeps groups within their limit");
    const { expectedVersion: _, ...asked } = draft;
    return { outcome: "committed", group, change: { ...asked, version: moved.version, seq: 0 } };
  });
}

/** Why nothing was written: each statement sees all that was committed before it, so the reason is there to be read. */
async function refusal(queries: Queries, draft: GroupChangeDraft): Promise<GroupChangeOutcome> {
  const { groupId, messageId } = draft;
  const { rows } = await queries.query<ChangeRow>(changeByMessage, [groupId, messageId]);
  const group = await readGroup(queries, groupId);
  if (group === undefined) return { outcome: "no_such_group" };
  if (rows[0] !== undefined) return { outcome: "repeated", group, change: toChange(rows[0]) };
  return draft.kind === "create" ? { outcome: "id_conflict" } : { outcome: "version_conflict", group };
}

function valuesOf(draft: GroupChangeDraft): readonly unknown[] {
  const { groupId, messageId, since, actorId, actorDevice, kind, userIds, role, name, at } = draft;
  assert(kind !== "role" || role !== undefined, "a role change gives a role");
  return [
    groupId,
    kind === "create" ? 0 : draft.expectedVersion,
    messageId,
    since,
    actorId,
    actorDevice,
    kind,
    userIds,
    role,
    name,
    at,
    joinersOf(draft),
    leaversOf(draft),
    kind === "role" ? userIds : [],
  ];
}

function joinersOf({ kind, actorId, userIds }: GroupChangeDraft): readonly Uuid[] {
  if (kind === "create") return [...new Set([actorId, ...userIds])];
  return kind === "add" ? [...new Set(userIds)] : [];
}

/** Who leaves is the actor, whether or not the draft names it again. */
function leaversOf({ kind, actorId, userIds }: GroupChangeDraft): readonly Uuid[] {
  if (kind === "leave") return [actorId];
  return kind === "remove" ? userIds : [];
}
