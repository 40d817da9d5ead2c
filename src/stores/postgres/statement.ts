/** One SQL statement. Each connection prepares it once under its name, which is therefore unique; the text never varies. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

const names = new Set<string>();

/** Name and text of a statement, as a constant beside the code that runs it. Throws on a name that is taken. */
export function statement(name: string, text: string): Statement {
  if (names.has(name)) throw new Error(`two statements are called ${name}`);
  names.add(name);
  return { name, text };
}
