import type { Groups } from "../../core/ports/groups.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { commitGroupChange } from "./commit-group-change.ts";
import { changeColumns, readGroup, toChange, type ChangeRow } from "./group-rows.ts";
import type { Postgres } from "./postgres.ts";
import { settleGroupChange } from "./settle-group-change.ts";
import { statement } from "./statement.ts";

const pendingOfGroup = statement(
  "pending_of_group",
  `SELECT ${changeColumns} FROM group_changes WHERE group_id = $1 AND seq = 0 ORDER BY version LIMIT $2`,
);

const pendingOfAll = statement(
  "pending_of_all",
  `SELECT ${changeColumns} FROM group_changes WHERE seq = 0 ORDER BY group_id, version LIMIT $1`,
);

const intervalsOfGroup = statement(
  "intervals_of_group",
  `SELECT user_id, joined_seq, left_seq FROM member_intervals
   WHERE group_id = $1
   ORDER BY joined_seq, joined_version, user_id`,
);

const intervalsOfMember = statement(
  "intervals_of_member",
  `SELECT user_id, joined_seq, left_seq FROM member_intervals
   WHERE group_id = $1 AND user_id = $2
   ORDER BY joined_seq, joined_version`,
);

const groupsOfUser = statement("groups_of_user", `SELECT group_id FROM group_members WHERE user_id = $1`);

interface IntervalRow {
  readonly user_id: Uuid;
  readonly joined_seq: number;
  readonly left_seq: number;
}

/**
 * Groups in PostgreSQL. Whoever changes or settles locks the group's row before any other of the group, so changes of one
 * group run one after the other.
 */
export function createPostgresGroups(postgres: Postgres): Groups {
  return {
    commit: (draft) => commitGroupChange(postgres, draft),
    load: (groupId) => readGroup(postgres, groupId),
    settle: (groupId, version, seq) => settleGroupChange(postgres, groupId, version, seq),

    async pending(groupId, changesMax) {
      const { rows } =
        groupId === undefined
          ? await postgres.query<ChangeRow>(pendingOfAll, [changesMax])
          : await postgres.query<ChangeRow>(pendingOfGroup, [groupId, changesMax]);
      return rows.map(toChange);
    },

    async intervals(groupId, userId) {
      const { rows } =
        userId === undefined
          ? await postgres.query<IntervalRow>(intervalsOfGroup, [groupId])
          : await postgres.query<IntervalRow>(intervalsOfMember, [groupId, userId]);
      return rows.map((row) => ({ userId: row.user_id, joinedSeq: row.joined_seq, leftSeq: row.left_seq }));
    },

    async ofUser(userId) {
      const { rows } = await postgres.query<{ readonly group_id: Uuid }>(groupsOfUser, [userId]);
      return rows.map((row) => row.group_id);
    },
  };
}
