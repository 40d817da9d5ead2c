import { describe, expect, test } from "vitest";
import { parsePostgresUrl } from "./postgres-address.ts";

describe("the address of PostgreSQL", () => {
  test("has defaults for the port and for TLS, and decodes names", () => {
    expect(parsePostgresUrl("postgres://msgr%40home@db.example/my%20data")).toEqual({
      host: "db.example",
      port: 5432,
      user: "msgr@home",
      database: "my data",
      ssl: false,
    });
  });

  test("takes IPv6, ports, and socket folders", () => {
    expect(parsePostgresUrl("postgres://u@[::1]:5433/d")).toMatchObject({ host: "::1", port: 5433 });
    expect(parsePostgresUrl("postgres://u@%2Fvar%2Frun%2Fpostgresql/d").host).toBe("/var/run/postgresql");
  });

  test("checks certificates whenever there is TLS, unless told not to in so many words", () => {
    expect(parsePostgresUrl("postgres://u@h/d?sslmode=require").ssl).toBe(true);
    expect(parsePostgresUrl("postgres://u@h/d?sslmode=verify-full").ssl).toBe(true);
    expect(parsePostgresUrl("postgres://u@h/d?sslmode=no-verify").ssl).toEqual({ rejectUnauthorized: false });
  });

  test.each([
    ["postgres://u@h/d?sslmode=perhaps", "sslmode"],
    ["postgres://u@h/d?options=-c", "options"],
    ["postgres://h/d", "user"],
    ["postgres://u@h", "database"],
  ])("refuses %s", (url, word) => {
    expect(() => parsePostgresUrl(url)).toThrow(word);
  });
});
