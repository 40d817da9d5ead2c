/**
 * The part of RESP (Redis serialization protocol 2) that a stream of writes needs: commands out, one-line replies back.
 */

/** One command as text. The words are written as UTF-8. */
export function encodeCommand(words: readonly (string | number)[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) {
    const value = String(word);
    text += `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  }
  return text;
}

const lineFeed = 10;
const minus = 45;

/**
 * Counts one-line replies (`+OK`, `:1`, `-ERR …`) in a stream of chunks that are cut anywhere. Replies of more lines must
 * not occur: send only commands that have none.
 */
export class ReplyCounter {
  #isLineStart = true;
  /** What came of an error line that is not complete yet. */
  #error: Buffer | undefined;

  /** Calls `onReply` for each reply that is complete now, with the text of an error if it is one. */
  read(chunk: Buffer, onReply: (error: string | undefined) => void): void {
    let at = 0;
    while (at < chunk.length) {
      const end = chunk.indexOf(lineFeed, at);
      if (this.#isLineStart && chunk[at] === minus) this.#error = Buffer.alloc(0);
      const stop = end < 0 ? chunk.length : end + 1;
      if (this.#error !== undefined) this.#error = Buffer.concat([this.#error, chunk.subarray(at, stop)]);
      this.#isLineStart = end >= 0;
      if (end >= 0) {
        const error = this.#error?.toString("utf8", 1).trimEnd();
        this.#error = undefined;
        onReply(error);
      }
      at = stop;
    }
  }
}
