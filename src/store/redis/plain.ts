// Commands of the script over HTTP, which carries text, and at most one value as bytes. The prelude for that undoes it.

/** One command: EVALSHA or EVAL, the script, the number of keys, keys, arguments. */
export type Command = readonly (string | Uint8Array)[];

/** Where the arguments of the script begin. */
const firstArgument = (command: Command): number => 3 + Number(command[2]);

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Undefined for what is no UTF-8. */
function decoded(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** What JSON would lengthen, and what is no UTF-8, in two bytes that stand for nothing else. */
function rewrite(bytes: Uint8Array): string {
  const codes = Uint16Array.from(bytes, (byte) => {
    const isPlain = byte > 0x1f && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return isPlain ? byte : 0x100 + byte;
  });
  let text = "";
  for (let at = 0; at < codes.length; at += 4_096) text += String.fromCharCode(...codes.subarray(at, at + 4_096));
  return text;
}

/** The command without bytes: a value that is UTF-8 as it is, any other rewritten, in twice its length at most. */
export function toPlain(command: Command): readonly string[] {
  const start = firstArgument(command);
  const rewritten: number[] = [];
  const plain = command.map((part, index) => {
    if (typeof part === "string") return part;
    const text = decoded(part);
    // Six characters for each zero byte are too much.
    if (text !== undefined && JSON.stringify(text).length < 2 * part.length + 100) return text;
    rewritten.push(index - start + 1);
    return rewrite(part);
  });
  if (rewritten.length > 0) plain.splice(start, 0, `~${rewritten.join()}`);
  return plain;
}

/** The longest path that is trusted to arrive. */
const MAX_PATH = 4_000;

/**
 * The path of a command whose last argument is its only value and travels as the body. None if there is no such value, or
 * the path might be misread: not everybody decodes a slash after splitting at them, or lets an empty part be.
 */
export function toPath(command: Command): string | undefined {
  const start = firstArgument(command);
  const body = command.at(-1);
  const parts = command.slice(0, start).map((part, index) => (index === 0 ? String(part).toLowerCase() : String(part)));
  const args = command.slice(start, -1);
  if (typeof body === "string" || !body?.length || args.some((arg) => typeof arg !== "string" || /[\r\f]/.test(arg))) {
    return undefined;
  }
  if (parts.some((part) => /^\.*$|\//.test(part))) return undefined;
  parts.push(`#${body.length}`, `${args.join("\r")}\r`.replaceAll("/", "\f"));
  const path = parts.map((part) => `/${encodeURIComponent(part)}`).join("");
  return path.length > MAX_PATH ? undefined : path;
}
