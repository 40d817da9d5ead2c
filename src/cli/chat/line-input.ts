import { clearScreenDown, createInterface, cursorTo, moveCursor, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { limits } from "../../protocol/limits.ts";
import { CliError } from "../cli-error.ts";
import type { TextSink } from "../output.ts";

/** Where lines come from, and what has to be done around what is printed meanwhile. */
export interface LineInput {
  readonly lines: AsyncIterable<string>;
  /** Shown before what is typed. */
  setPrompt(text: string): void;
  /** Prints by calling `print`, with the line that is being typed out of the way. */
  around(print: () => void): void;
  close(): void;
}

/** Lines of a pipe or a file. Throws CliError for one that is longer than a message may be. */
export function pipeInput(stdin: NodeJS.ReadStream): LineInput {
  return {
    lines: splitLines(stdin),
    setPrompt: () => undefined,
    around: (print) => print(),
    close: () => stdin.destroy(),
  };
}

async function* splitLines(stdin: NodeJS.ReadStream): AsyncGenerator<string> {
  let rest = "";
  let count = 0;
  stdin.setEncoding("utf8");
  for await (const chunk of stdin as AsyncIterable<string>) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      count++;
      yield part.endsWith("\r") ? part.slice(0, -1) : part;
    }
    if (rest.length > limits.envelopeBytesMax) {
      throw new CliError("usage", `Line ${count + 1} is longer than a message may be.`, {
        fix: "Break it into lines.",
      });
    }
  }
  if (rest !== "") yield rest;
}

/** Lines that a person types, with editing and history; echoed on stderr, so that stdout stays data. */
export function terminalInput(stdin: NodeJS.ReadStream, sink: TextSink, onInterrupt: () => void): LineInput {
  const echo = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      sink.write(text);
      done();
    },
  });
  // Readline asks its output how wide it is.
  Object.defineProperty(echo, "columns", { get: () => sink.columns ?? 80 });
  const editor = createInterface({ input: stdin, output: echo, terminal: true, historySize: 500, prompt: "> " });
  editor.on("SIGINT", onInterrupt);
  editor.prompt();
  return {
    lines: promptedLines(editor),
    setPrompt(text) {
      hideLine(editor, echo);
      editor.setPrompt(text);
      editor.prompt(true);
    },
    around(print) {
      hideLine(editor, echo);
      print();
      editor.prompt(true);
    },
    close() {
      hideLine(editor, echo);
      editor.close();
    },
  };
}

async function* promptedLines(editor: Interface): AsyncGenerator<string> {
  for await (const line of editor) {
    yield line;
    editor.prompt();
  }
}

function hideLine(editor: Interface, echo: Writable): void {
  moveCursor(echo, 0, -editor.getCursorPos().rows);
  cursorTo(echo, 0);
  clearScreenDown(echo);
}
