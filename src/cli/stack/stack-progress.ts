import { Listr, ListrLogger, ProcessOutput } from "listr2";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import type { StackReporter } from "../../stack/run-context.ts";
import type { PartName } from "../../stack/versions.ts";
import type { Output } from "../output.ts";

/** Shows how the stores come up. `end` resolves when everything is shown. */
export interface StackProgress extends StackReporter {
  end(): Promise<void>;
}

const columnsMin = 40;

export function createStackProgress(output: Output, parts: readonly PartName[]): StackProgress {
  // Some terminals do not know how wide they are; in those, lines in place would break letter by letter.
  const isLive = output.stderrIsTerminal && !output.quiet && output.columns >= columnsMin;
  return isLive ? liveProgress(output, parts) : lineProgress(output);
}

/** One line for each thing that happened: for logs. What only counts up is for -v. */
export function lineProgress(output: Output): StackProgress {
  return {
    note: (text) => output.talk(text),
    progress: (part, text) => output.detail(`${part}: ${text}`),
    ready: (part, how, addresses) => output.talk(`${part}: ${readyText(how, addresses)}`),
    failed: (part) => output.talk(`${part}: failed`),
    end: () => Promise.resolve(),
  };
}

function readyText(how: "started" | "adopted", addresses: readonly string[]): string {
  return `${how === "adopted" ? "runs already" : "ready"} at ${addresses.join(", ")}`;
}

interface LivePart {
  readonly done: Deferred<void>;
  show: (text: string) => void;
}

/** One line for each part, in place. */
function liveProgress(output: Output, parts: readonly PartName[]): StackProgress {
  const lives = new Map<PartName, LivePart>(
    parts.map((part) => [part, { done: createDeferred<void>(), show: () => undefined }]),
  );
  // A part may fail before its line has begun to wait.
  for (const { done } of lives.values()) done.promise.catch(() => undefined);
  const list = new Listr(
    parts.map((part) => ({
      title: part,
      task: async (_, task) => {
        const live = lives.get(part) as LivePart;
        live.show = (text) => (task.title = `${part}  ${output.style("dim", text)}`);
        await live.done.promise;
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      // stdout is for data.
      rendererOptions: {
        logger: new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) }),
      },
    },
  );
  const shown = list.run().catch(() => undefined);
  const notes: string[] = [];
  return {
    note: (text) => notes.push(text),
    progress: (part, text) => lives.get(part)?.show(text),
    ready(part, how, addresses) {
      lives.get(part)?.show(readyText(how, addresses));
      lives.get(part)?.done.resolve();
    },
    failed: (part) => lives.get(part)?.done.reject(new Error("failed")),
    async end() {
      for (const { done } of lives.values()) done.reject(new Error("left out"));
      await shown;
      for (const note of notes) output.talk(note);
    },
  };
}
