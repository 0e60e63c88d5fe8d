// What a block says it prints, against what it printed.
import type { Block } from "./markdown.ts";

/** The comments that stand behind a `console.log`, or on the lines after one that has none, in their order. */
export function promisedOutput({ code }: Block): string[] {
  const promised: string[] = [];
  let open = false;
  for (const line of code.split("\n")) {
    const [, before = "", comment] = /^(.*?)(?:(?<=^\s*|[;{}]\s*)\/\/ (.*))?$/.exec(line) ?? [];
    const logs = before.includes("console.log(");
    if (comment !== undefined && (logs || (open && before.trim() === ""))) promised.push(comment);
    open = comment === undefined ? logs : open && !logs;
  }
  return promised;
}

/** Whether each line that was printed is what the comment begins with; more may follow after a comma, colon or semicolon. */
export function keepsPromise(block: Block, output: string): boolean {
  const promised = promisedOutput(block);
  const printed = output.split("\n").slice(0, -1);
  const matches = (line: string, index: number): boolean => {
    const comment = promised[index] ?? "";
    return comment.startsWith(line) && /^$|^[,:;]/.test(comment.slice(line.length));
  };
  return printed.length === promised.length && printed.every(matches);
}
