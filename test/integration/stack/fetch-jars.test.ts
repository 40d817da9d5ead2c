import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { fetchJars, jarFolder } from "../../../src/stack/jars/fetch-jars.ts";
import { temporaryFolder } from "../../helpers/server-process.ts";

/** A Maven of which only the behaviour matters here: it puts one jar where it is told to, or fails as the script says. */
function withMaven(folder: string, script: string) {
  const bin = path.join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    path.join(bin, "mvn"),
    `#!/bin/sh\nfor word in "$@"; do case $word in -DoutputDirectory=*) out=\${word#*=};; esac; done\n${script}\n`,
  );
  chmodSync(path.join(bin, "mvn"), 0o755);
  const said: string[] = [];
  return {
    said,
    options: {
      cache: path.join(folder, "cache"),
      variables: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` },
      sleep: (milliseconds: number) => sleep(milliseconds),
      signal: new AbortController().signal,
      onProgress: (text: string) => said.push(text),
    },
  };
}

const working =
  'echo "Downloaded from central: http://x/a.jar (1 kB)"; echo jar > "$out/a.jar"; echo "$$" >> "$0.runs"';

describe("fetchJars", () => {
  it("asks Maven once; two who come at once share the download", async () => {
    using folder = temporaryFolder();
    const { options, said } = withMaven(folder.path, working);
    const [first, second] = await Promise.all([fetchJars("s3", options), fetchJars("s3", options)]);
    expect(first).toBe(second);
    expect(readdirSync(first)).toEqual(expect.arrayContaining(["a.jar", "jars.json", "pom.xml"]));
    expect(said).toContain("downloading jars: 1");
    await fetchJars("s3", options);
    expect(said.filter((text) => text.startsWith("asking"))).toHaveLength(1);
  });

  it("asks again when somebody has tidied the cache up", async () => {
    using folder = temporaryFolder();
    const { options, said } = withMaven(folder.path, working);
    const jars = await fetchJars("s3", options);
    rmSync(path.join(jars, "a.jar"));
    await fetchJars("s3", options);
    expect(said.filter((text) => text.startsWith("asking"))).toHaveLength(2);
    expect(existsSync(path.join(jars, "a.jar"))).toBe(true);
  });

  it("never takes the remains of a killed download for a whole one", async () => {
    using folder = temporaryFolder();
    const { options } = withMaven(folder.path, working);
    const remains = path.join(path.dirname(jarFolder(options.cache, "s3")), ".unfinished-s3");
    mkdirSync(remains, { recursive: true });
    writeFileSync(path.join(remains, "half.jar"), "");
    const jars = await fetchJars("s3", options);
    expect(readdirSync(path.dirname(jars)).filter((name) => name.startsWith(".unfinished"))).toEqual([]);
    expect(existsSync(path.join(jars, "half.jar"))).toBe(false);
  });

  it("leaves nothing that looks whole when Maven fails, and says why", async () => {
    using folder = temporaryFolder();
    const { options } = withMaven(
      folder.path,
      'echo half > "$out/a.jar"; echo "[ERROR] x: Connection refused"; exit 1',
    );
    await expect(fetchJars("kafka", options)).rejects.toMatchObject({ reason: "unreachable" });
    expect(existsSync(jarFolder(options.cache, "kafka"))).toBe(false);
  });
});
