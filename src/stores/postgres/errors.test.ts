import { describe, expect, test } from "vitest";
import { StoreError } from "../../base/store-error.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { postgresAdminError } from "./admin-error.ts";
import { isConflict, keepsConnection, portError, translateError } from "./errors.ts";

/** As the driver makes them: from the server with a SQLSTATE and a severity, from the system with a name, or bare. */
function serverError(code: string, severity = "ERROR"): Error {
  return Object.assign(new Error(`what the server said about ${code}`), { code, severity });
}

const systemError = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

describe("errors of PostgreSQL", () => {
  test.each([
    ["08006", "unreachable"],
    ["28P01", "wrong_password"],
    ["28000", "wrong_password"],
    ["3D000", "missing_database"],
    ["42P01", "missing_database"],
    ["25006", "read_only"],
    ["53100", "full"],
    ["53200", "full"],
    ["53300", "unreachable"],
    ["57014", "unreachable"],
    ["57P01", "unreachable"],
    ["57P03", "unreachable"],
    ["55P03", "unreachable"],
    ["40001", "unreachable"],
    ["58030", "unreachable"],
  ])("SQLSTATE %s is %s, with a way out and the original as cause", (code, kind) => {
    const error = serverError(code);
    const translated = translateError(error);
    expect(translated).toBeInstanceOf(StoreError);
    expect(translated).toMatchObject({ store: "postgres", kind, cause: error });
    expect((translated as StoreError).message).toContain(code);
    expect((translated as StoreError).fix).not.toBe("");
  });

  test.each(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EPIPE", "ETIMEDOUT"])("%s is an absent server", (code) => {
    expect(translateError(systemError(code))).toMatchObject({ kind: "unreachable" });
  });

  test("so are the driver's own words, and several addresses that all refuse", () => {
    for (const words of ["Connection terminated unexpectedly", "Query read timeout", "timeout expired"]) {
      expect(translateError(new Error(words))).toMatchObject({ kind: "unreachable" });
    }
    const refusals = new AggregateError([systemError("ECONNREFUSED"), systemError("EHOSTUNREACH")]);
    expect(translateError(refusals)).toMatchObject({ kind: "unreachable" });
    expect((translateError(refusals) as StoreError).message).toContain("connect ECONNREFUSED");
  });

  test.each(["23505", "23514", "42601", "22P02", "XX000"])(
    "SQLSTATE %s is a mistake of ours and stays as it is",
    (code) => {
      const error = serverError(code);
      expect(translateError(error)).toBe(error);
      expect(portError(error)).toBe(error);
    },
  );

  test("administration agrees about the server, and shows what a statement was refused for", () => {
    const url = new URL("postgres://msgr:secret@there:5432/db");
    const kindsOf = (error: Error) => [
      (translateError(error) as { kind?: string }).kind,
      postgresAdminError(error, url).kind,
    ];
    for (const code of ["08006", "28P01", "3D000", "25006", "53100", "53300", "57P03", "ECONNREFUSED"]) {
      const [server, admin] = kindsOf(systemError(code));
      expect([code, admin]).toEqual([code, server]);
    }
    for (const code of ["42P01", "57014", "55P03", "40001", "23505", "58030"]) {
      expect([code, kindsOf(serverError(code))[1]]).toEqual([code, "other"]);
      expect(postgresAdminError(serverError(code), url).message).toContain(`what the server said about ${code}`);
    }
    expect(postgresAdminError(systemError("ECONNREFUSED"), url).message).not.toContain("secret");
  });

  test("one that turns away whoever comes in the clear, and one that has no line for this user, are told from a wrong password", () => {
    const url = new URL("postgres://msgr:secret@there:5432/db");
    const refused = (message: string, code: string): Error =>
      Object.assign(new Error(message), { code, severity: "FATAL" });
    const entry = 'no pg_hba.conf entry for host "10.0.0.1", user "msgr", database "db"';
    const cases: readonly (readonly [Error, string, string])[] = [
      [refused(`${entry}, no encryption`, "28000"), "wrong_transport", "?sslmode=require"],
      [refused("SSL required", "08P01"), "wrong_transport", "?sslmode=require"],
      [refused(`${entry}, SSL encryption`, "28000"), "wrong_password", "pg_hba.conf"],
      [refused('password authentication failed for user "msgr"', "28P01"), "wrong_password", "postgres.password"],
    ];
    for (const [error, kind, fix] of cases) {
      const wanted = { kind, fix: expect.stringContaining(fix) as string, cause: error };
      expect(translateError(error)).toMatchObject(wanted);
      expect(postgresAdminError(error, url)).toMatchObject(wanted);
    }
  });

  test("a port rejects with what a client may be told", () => {
    const codeOf = (error: unknown) => (portError(error) as WireError).code;
    for (const code of ["53100", "53200", "25006"]) expect(codeOf(serverError(code))).toBe("storage_full");
    for (const code of ["57014", "28P01", "3D000"]) expect(codeOf(serverError(code))).toBe("store_unavailable");
    const wire = portError(systemError("ECONNREFUSED"));
    expect(wire).toBeInstanceOf(WireError);
    expect((wire as WireError).cause).toMatchObject({ store: "postgres", kind: "unreachable" });
    const refusal = new WireError("store_unavailable");
    expect(portError(refusal)).toBe(refusal);
  });

  test("only what the database undid for another transaction's sake runs again by itself", () => {
    expect(["40001", "40P01"].map((code) => isConflict(serverError(code)))).toEqual([true, true]);
    expect([serverError("57014"), systemError("ECONNRESET"), "40001"].map(isConflict)).toEqual([false, false, false]);
  });

  test("a connection is kept after an error of a statement, not after one of the connection", () => {
    expect(keepsConnection(serverError("23505"))).toBe(true);
    expect(keepsConnection(serverError("57014"))).toBe(true);
    expect(keepsConnection(serverError("57P01", "FATAL"))).toBe(false);
    expect(keepsConnection(new Error("Query read timeout"))).toBe(false);
    expect(keepsConnection(systemError("ECONNRESET"))).toBe(false);
  });
});
