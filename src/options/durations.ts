// Durations and sizes as users write them: numbers, or text with a unit.
import { FOREVER } from "../store/contract.ts";
import { refuse } from "./parse.ts";

/** Milliseconds, or text such as "250ms", "30s", "5m", "2.5h", "1d". Zero means zero; Infinity means without end. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

/** Bytes, or text such as "512b", "64kb", "32mb", "1gb" (1 kb = 1,024 bytes). */
export type Size = number | `${number}${"b" | "kb" | "mb" | "gb"}`;

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

function parse(name: string, value: unknown, units: Readonly<Record<string, number>>, takes: string): number {
  const [, digits, unit = ""] = (typeof value === "string" && /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(value)) || [];
  const parsed = digits ? Number(digits) * units[unit]! : value; // not a number if there is no such unit
  return typeof parsed === "number" && parsed >= 0 ? parsed : refuse(name, value, takes);
}

/** Milliseconds of a duration; FOREVER for Infinity. Throws an OptionError that names the option. */
export const parseDuration = (name: string, value: unknown): number =>
  Math.min(parse(name, value, DURATION_UNITS, 'a duration: milliseconds or text like "250ms", "5m", "1.5h"'), FOREVER);

/** Bytes of a size. Throws an OptionError that names the option. */
export const parseSize = (name: string, value: unknown): number =>
  parse(name, value, SIZE_UNITS, 'a size: bytes or text like "64kb", "32mb"');

/** Reads a duration into the field of its name and "Ms". */
export const duration = (name: string, value: unknown): object => ({ [`${name}Ms`]: parseDuration(name, value) });
