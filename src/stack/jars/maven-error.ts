import { stripVTControlCharacters } from "node:util";
import { StackError } from "../stack-error.ts";
import type { JarStore } from "./pom.ts";

const networkSigns =
  /unknown host|name or service not known|temporary failure in name resolution|connection refused|connect(?:ion)? timed out|network is unreachable|no route to host|connection reset|read timed out|offline mode/i;

/** The cause of a failed download in one message, from what Maven printed. */
export function mavenError(store: JarStore, said: string, cache: string): StackError {
  const line = errorLine(said);
  if (/no space left on device/i.test(said)) {
    return new StackError(
      "failed",
      `The disk is full: the jars of ${store} do not fit.`,
      `Make room for ${cache} and for Maven's own folder.`,
    );
  }
  if (networkSigns.test(said)) {
    const fix =
      "Check the network, or a proxy or mirror in Maven's settings.xml. Once fetched, jars are kept; the stores without jars: --only postgres,redis,nginx";
    return new StackError("unreachable", `Maven cannot reach its repository for the jars of ${store}: ${line}`, fix);
  }
  if (/JAVA_HOME/.test(said) && !/\[ERROR\]/.test(said)) {
    return new StackError("configuration", `Maven finds no Java: ${line}`, "Set JAVA_HOME to the folder of Java 17.");
  }
  const fix = "See whether `mvn --version` works; Maven's settings.xml may name a repository that lacks these jars.";
  return new StackError("failed", `Maven could not get the jars of ${store}: ${line}`, fix);
}

const lineCharactersMax = 400;

function errorLine(said: string): string {
  const lines = stripVTControlCharacters(said)
    .split("\n")
    .map((line) => line.trim());
  const marked = lines.find((line) => line.startsWith("[ERROR]") && line.length > "[ERROR] ".length);
  const line = marked?.replace("[ERROR]", "").trim() ?? lines.filter((text) => text !== "").at(-1) ?? "it said nothing";
  return line.length > lineCharactersMax ? `${line.slice(0, lineCharactersMax)}…` : line;
}
