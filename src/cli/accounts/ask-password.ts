import { readFile } from "node:fs/promises";
import { limits } from "../../protocol/limits.ts";
import { CliError } from "../cli-error.ts";
import type { Invocation } from "../command.ts";

/**
 * A password from where nobody else sees it: --password-file (`-` = standard input), standard input when that is a pipe,
 * or the terminal without echo. Never an argument, never the environment.
 */
export async function askPassword(invocation: Invocation, question: string): Promise<string> {
  const { options, stdin } = invocation;
  const file = options["passwordFile"] as string | undefined;
  if (file !== undefined && file !== "-") return firstLine(await readSecret(file), `--password-file ${file}`);
  if (file === "-" || !stdin.isTTY) return firstLine(await readAll(stdin), "standard input");
  if (!invocation.mayAsk) {
    throw new CliError("usage", "A password is needed, and asking for it is not allowed here.", {
      fix: "Pipe it in, or name a file with --password-file.",
    });
  }
  return promptHidden(invocation, question);
}

/** Enough for the longest password in the longest encoding, and a line break. */
const inputBytesMax = limits.passwordLengthMax * 4 + 2;

async function readSecret(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CliError("usage", `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`, {
      fix: "Name a file whose first line is the password.",
      cause: error,
    });
  }
}

async function readAll(stdin: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > inputBytesMax) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function firstLine(text: string, where: string): string {
  const line = text.split(/\r?\n/)[0] ?? "";
  if (line !== "") return line;
  throw new CliError("usage", `There is no password in ${where}.`, { fix: "Its first line has to be the password." });
}

const [interrupt, endOfInput, backspace, deletion, eraseLine] = ["\u0003", "\u0004", "\b", "\u007f", "\u0015"];

/** Raw mode, since a terminal that echoes shows the secret. */
function promptHidden({ stdin, output }: Invocation, question: string): Promise<string> {
  output.talkSink.write(`${question}: `);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    let typed = "";
    const end = (settle: () => void): void => {
      stdin.off("data", hear);
      stdin.setRawMode(false);
      stdin.pause();
      output.talkSink.write("\n");
      settle();
    };
    const hear = (text: string): void => {
      for (const key of text) {
        if (key === "\r" || key === "\n") return end(() => resolve(typed));
        if (key === interrupt || key === endOfInput) return end(() => reject(cancelled()));
        if (key === backspace || key === deletion) typed = typed.slice(0, -1);
        else if (key === eraseLine) typed = "";
        else if (typed.length < limits.passwordLengthMax) typed += key;
      }
    };
    stdin.on("data", hear);
    stdin.resume();
  });
}

function cancelled(): CliError {
  return new CliError("interrupted", "No password was given.");
}
