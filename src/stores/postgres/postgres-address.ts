/** Where a database is, in the driver's words. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** false = in the clear; true = TLS, and the certificate is checked; rejectUnauthorized false = TLS with anybody. */
  readonly ssl: boolean | { readonly rejectUnauthorized: false };
}

const sslModes: Readonly<Record<string, PostgresAddress["ssl"]>> = {
  disable: false,
  require: true,
  "verify-full": true,
  "no-verify": { rejectUnauthorized: false },
};

/**
 * Parses postgres://user@host:port/database?sslmode=…. Read here and not by the driver, which fills what is missing from
 * the PG* variables of the environment and from ~/.pgpass: a server must connect to what its configuration says.
 * Throws an Error that can be shown.
 */
export function parsePostgresUrl(url: string): PostgresAddress {
  const parsed = new URL(url);
  const ssl = sslModes[parsed.searchParams.get("sslmode") ?? "disable"];
  if (ssl === undefined) throw new Error(`sslmode is one of ${Object.keys(sslModes).join(", ")}`);
  const unknown = [...parsed.searchParams.keys()].filter((name) => name !== "sslmode");
  if (unknown.length > 0) throw new Error(`the address of PostgreSQL has no option ${unknown.join(", ")}`);
  const user = decodeURIComponent(parsed.username);
  const database = decodeURIComponent(parsed.pathname.slice(1));
  if (user === "" || database === "") throw new Error("the address of PostgreSQL names a user and a database");
  return {
    host: decodeURIComponent(parsed.hostname).replace(/^\[(.*)\]$/, "$1"),
    port: parsed.port === "" ? 5432 : Number(parsed.port),
    user,
    database,
    ssl,
  };
}
