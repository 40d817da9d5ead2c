import { describe, expect, test } from "vitest";
import type { Uuid } from "../../protocol/ids.ts";
import type { GroupRequest } from "../api.ts";
import { createGroupView } from "../directory-cache.ts";
import type { GroupMember, GroupRole } from "../model.ts";
import { authorise, heirOf } from "./roles.ts";

const member = (userId: Uuid, role: GroupRole, joinedSeq = 1): GroupMember => ({ userId, role, joinedSeq });
const viewOf = (...members: GroupMember[]) =>
  createGroupView({ groupId: "g", name: "", creatorId: "owner", createdAt: 0, membership: 3, members }, 1, 0);
const view = viewOf(
  member("owner", "owner"),
  member("admin", "admin"),
  member("admin2", "admin"),
  member("plain", "member"),
  member("plain2", "member"),
);
type Asked = Exclude<GroupRequest, { kind: "create" }>;
const verdict = (userId: Uuid, request: Asked, of = view): string => {
  try {
    authorise(of, userId, request);
    return "may";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

const requests: Record<string, Asked> = {
  rename: { kind: "rename", name: "new" },
  add: { kind: "add", userIds: ["new"] },
  "remove member": { kind: "remove", userIds: ["plain2"] },
  "remove stranger": { kind: "remove", userIds: ["nobody"] },
  "remove admin": { kind: "remove", userIds: ["admin2"] },
  "remove owner": { kind: "remove", userIds: ["owner"] },
  leave: { kind: "leave" },
  "make admin": { kind: "role", userIds: ["plain2"], role: "admin" },
  "make owner": { kind: "role", userIds: ["plain2"], role: "owner" },
  "demote owner": { kind: "role", userIds: ["owner"], role: "member" },
};

const table: Record<string, Partial<Record<keyof typeof requests, string>>> = {
  owner: {
    rename: "may",
    add: "may",
    "remove member": "may",
    "remove stranger": "may",
    "remove admin": "may",
    "remove owner": "forbidden",
    leave: "may",
    "make admin": "may",
    "make owner": "may",
    "demote owner": "forbidden",
  },
  admin: {
    rename: "may",
    add: "may",
    "remove member": "may",
    "remove stranger": "may",
    "remove admin": "forbidden",
    "remove owner": "forbidden",
    leave: "may",
    "make admin": "forbidden",
    "make owner": "forbidden",
    "demote owner": "forbidden",
  },
  plain: {
    rename: "forbidden",
    add: "forbidden",
    "remove member": "forbidden",
    "remove stranger": "forbidden",
    "remove admin": "forbidden",
    "remove owner": "forbidden",
    leave: "may",
    "make admin": "forbidden",
    "make owner": "forbidden",
    "demote owner": "forbidden",
  },
};

describe("rights in a group", () => {
  test.each(Object.keys(table))("of %s", (userId) => {
    const verdicts = Object.entries(requests).map(([name, request]) => [name, verdict(userId, request)]);
    expect(Object.fromEntries(verdicts)).toEqual(table[userId]);
  });

  test("end at its door", () => {
    for (const request of Object.values(requests)) expect(verdict("stranger", request)).toBe("not_a_member");
  });

  test("of two owners include removing or demoting the other one, not both", () => {
    const two = viewOf(member("owner", "owner"), member("second", "owner"));
    expect(verdict("owner", { kind: "remove", userIds: ["second"] }, two)).toBe("may");
    expect(verdict("owner", { kind: "role", userIds: ["owner"], role: "member" }, two)).toBe("may");
    expect(verdict("owner", { kind: "role", userIds: ["owner", "second"], role: "admin" }, two)).toBe("forbidden");
  });
});

describe("the heir of a group", () => {
  test("is the admin who is in it for longest, else the member, else the one with the older account", () => {
    expect(heirOf(view, "owner")).toBe("admin");
    const admins = viewOf(
      member("owner", "owner"),
      member("a", "admin", 9),
      member("b", "admin", 5),
      member("c", "member", 1),
    );
    expect(heirOf(admins, "owner")).toBe("b");
    expect(heirOf(viewOf(member("owner", "owner"), member("y", "member", 2), member("x", "member", 2)), "owner")).toBe(
      "x",
    );
  });

  test("is nobody while another owner stays, when no owner leaves, or when nobody is left", () => {
    expect(heirOf(viewOf(member("owner", "owner"), member("other", "owner")), "owner")).toBeUndefined();
    expect(heirOf(view, "admin")).toBeUndefined();
    expect(heirOf(viewOf(member("owner", "owner")), "owner")).toBeUndefined();
  });
});
