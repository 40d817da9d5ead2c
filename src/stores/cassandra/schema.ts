/** The tables that the adapters use and their columns: what a keyspace must have before a server works on it (cql/*.cql). */
export const tables: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  messages: {
    conversation_id: "uuid",
    bucket: "int",
    seq: "bigint",
    message_id: "uuid",
    sender_id: "uuid",
    sender_device: "int",
    sent_at: "timestamp",
    kind: "tinyint",
    visibility: "tinyint",
    ucount: "bigint",
    media_id: "uuid",
    envelope: "blob",
    head: "bigint",
    head_ucount: "bigint",
    head_at: "timestamp",
    membership: "int",
  },
  conversations_by_user: {
    user_id: "uuid",
    conversation_id: "uuid",
    kind: "tinyint",
    peer_id: "uuid",
    membership_seq: "bigint",
    joined_seq: "bigint",
    left_seq: "bigint",
    left_ucount: "bigint",
    last_seq: "bigint",
    last_ucount: "bigint",
    last_sender: "uuid",
    last_at: "timestamp",
    own_seq: "bigint",
    recv_seq: "bigint",
    read_seq: "bigint",
    read_ucount: "bigint",
    peer_recv_seq: "bigint",
    peer_read_seq: "bigint",
    cleared_seq: "bigint",
    checked_seq: "bigint",
  },
  receipts: {
    conversation_id: "uuid",
    user_id: "uuid",
    recv_seq: "bigint",
    recv_at_reversed: "bigint",
    read_seq: "bigint",
    read_at_reversed: "bigint",
  },
};

export interface ColumnDescription {
  readonly table_name: string;
  readonly column_name: string;
  readonly type: string;
}

/** What `columns` (of system_schema.columns) lacks, as one phrase: the first thing that is wrong, or undefined. */
export function schemaGap(columns: readonly ColumnDescription[]): string | undefined {
  const found = new Map(columns.map((column) => [`${column.table_name}.${column.column_name}`, column.type]));
  for (const [table, wanted] of Object.entries(tables)) {
    if (!columns.some((column) => column.table_name === table)) return `no table ${table}`;
    for (const [column, type] of Object.entries(wanted)) {
      const actual = found.get(`${table}.${column}`);
      if (actual === undefined) return `no column ${column} in table ${table}`;
      if (actual !== type) return `${table}.${column} of type ${actual} instead of ${type}`;
    }
  }
  return undefined;
}
