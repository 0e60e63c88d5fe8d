// What a rule of the house is, and how an offence is shown.
import type { SourceText } from "./repository.ts";

/** One place that breaks a rule. `what` says what is wrong there and what to do instead. */
export interface Offence {
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  readonly what: string;
}

/** A rule looks at all files at once, so that it can follow imports. It reads nothing else. */
export interface Rule {
  readonly says: string;
  find(files: readonly SourceText[]): Offence[];
}

export function show({ path, line, what }: Offence): string {
  return `${path}:${line}: ${what}`;
}

/** The line, counted from 1, of an offset in a text. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Calls `look` for each file whose path starts with one of the prefixes. */
export function within(
  files: readonly SourceText[],
  prefixes: readonly string[],
  look: (file: SourceText) => Offence[],
): Offence[] {
  return files.filter(({ path }) => prefixes.some((prefix) => path.startsWith(prefix))).flatMap(look);
}
