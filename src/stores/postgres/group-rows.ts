import type { Group, GroupChange, GroupChangeKind, GroupRole } from "../../core/model.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Queries } from "./postgres.ts";
import { statement } from "./statement.ts";

/** One statement, so that members and version belong together whatever is committed meanwhile. */
const groupById = statement(
  "group_by_id",
  `SELECT g.name, g.creator_id, g.created_at, g.membership_version,
     (SELECT coalesce(json_agg(json_build_array(m.user_id, m.role, m.joined_seq) ORDER BY m.joined_version, m.user_id), '[]')
      FROM group_members m
      WHERE m.group_id = g.group_id) AS members
   FROM groups g
   WHERE g.group_id = $1`,
);

interface GroupRow {
  readonly name: string;
  readonly creator_id: Uuid;
  readonly created_at: number;
  readonly membership_version: number;
  /** user, role, joined seq */
  readonly members: readonly (readonly [Uuid, GroupRole, number])[];
}

export async function readGroup(queries: Queries, groupId: Uuid): Promise<Group | undefined> {
  const { rows } = await queries.query<GroupRow>(groupById, [groupId]);
  const [row] = rows;
  return (
    row && {
      groupId,
      name: row.name,
      creatorId: row.creator_id,
      createdAt: row.created_at,
      membership: row.membership_version,
      members: row.members.map(([userId, role, joinedSeq]) => ({ userId, role, joinedSeq })),
    }
  );
}

export const changeColumns =
  "group_id, version, message_id, since, actor_id, actor_device, kind, user_ids, role, name, at, seq";

export interface ChangeRow {
  readonly group_id: Uuid;
  readonly version: number;
  readonly message_id: Uuid;
  readonly since: number;
  readonly actor_id: Uuid;
  readonly actor_device: number;
  readonly kind: GroupChangeKind;
  readonly user_ids: readonly Uuid[];
  readonly role: GroupRole | null;
  readonly name: string | null;
  readonly at: number;
  readonly seq: number;
}

export function toChange(row: ChangeRow): GroupChange {
  return {
    groupId: row.group_id,
    version: row.version,
    messageId: row.message_id,
    since: row.since,
    actorId: row.actor_id,
    actorDevice: row.actor_device,
    kind: row.kind,
    userIds: row.user_ids,
    ...(row.role === null ? {} : { role: row.role }),
    ...(row.name === null ? {} : { name: row.name }),
    at: row.at,
    seq: row.seq,
  };
}
