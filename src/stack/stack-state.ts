import path from "node:path";
import { replaceFile } from "./files/replace-file.ts";
import {
  emptyStackFile,
  readStackFile,
  stackFileName,
  type StackFile,
  type StackProcess,
  withoutProcess,
  withProcess,
} from "./stack-file.ts";

/** stack.json while a command holds the folder's lock: every change is on the disk when its method returns. */
export class StackState {
  readonly directory: string;
  #file: StackFile;

  constructor(directory: string) {
    this.directory = directory;
    this.#file = readStackFile(directory) ?? emptyStackFile;
  }

  get file(): StackFile {
    return this.#file;
  }

  add(process: StackProcess): void {
    this.#write(withProcess(this.#file, process));
  }

  remove(name: string): void {
    this.#write(withoutProcess(this.#file, name));
  }

  addSettings(settings: StackFile["settings"]): void {
    this.#write({ ...this.#file, settings: { ...this.#file.settings, ...settings } });
  }

  rememberPorts(ports: ReadonlyMap<string, number>): void {
    this.#write({ ...this.#file, ports: { ...this.#file.ports, ...Object.fromEntries(ports) } });
  }

  #write(file: StackFile): void {
    replaceFile(path.join(this.directory, stackFileName), `${JSON.stringify(file, undefined, 2)}\n`);
    this.#file = file;
  }
}
