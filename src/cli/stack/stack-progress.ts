import { Listr, ListrLogger, ProcessOutput } from "listr2";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import type { StackReporter } from "../../stack/run-context.ts";
import type { StoreName } from "../../stack/versions.ts";
import type { Output } from "../output.ts";

/** Shows how the stores come up. `end` resolves when everything is shown. */
export interface StackProgress extends StackReporter {
  end(): Promise<void>;
}

const columnsMin = 40;

export function createStackProgress(output: Output, stores: readonly StoreName[]): StackProgress {
  // Some terminals do not know how wide they are; in those, lines in place would break letter by letter.
  const isLive = output.stderrIsTerminal && !output.quiet && output.columns >= columnsMin;
  return isLive ? liveProgress(output, stores) : lineProgress(output);
}

/** One line for each thing that happened: for logs. What only counts up is for -v. */
export function lineProgress(output: Output): StackProgress {
  return {
    note: (text) => output.talk(text),
    progress: (store, text) => output.detail(`${store}: ${text}`),
    ready: (store, how, addresses) => output.talk(`${store}: ${readyText(how, addresses)}`),
    failed: (store) => output.talk(`${store}: failed`),
    end: () => Promise.resolve(),
  };
}

function readyText(how: "started" | "adopted", addresses: readonly string[]): string {
  return `${how === "adopted" ? "runs already" : "ready"} at ${addresses.join(", ")}`;
}

interface LiveStore {
  readonly done: Deferred<void>;
  show: (text: string) => void;
}

/** One line for each store, in place. */
function liveProgress(output: Output, stores: readonly StoreName[]): StackProgress {
  const lives = new Map<StoreName, LiveStore>(
    stores.map((store) => [store, { done: createDeferred<void>(), show: () => undefined }]),
  );
  // A store may fail before its line has begun to wait.
  for (const { done } of lives.values()) done.promise.catch(() => undefined);
  const list = new Listr(
    stores.map((store) => ({
      title: store,
      task: async (_, task) => {
        const live = lives.get(store) as LiveStore;
        live.show = (text) => (task.title = `${store}  ${output.style("dim", text)}`);
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
    progress: (store, text) => lives.get(store)?.show(text),
    ready(store, how, addresses) {
      lives.get(store)?.show(readyText(how, addresses));
      lives.get(store)?.done.resolve();
    },
    failed: (store) => lives.get(store)?.done.reject(new Error("failed")),
    async end() {
      for (const { done } of lives.values()) done.reject(new Error("left out"));
      await shown;
      for (const note of notes) output.talk(note);
    },
  };
}
