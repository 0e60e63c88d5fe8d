// Options that the hub and its clients read alike.
import { OptionError } from "../../errors.ts";
import { parseDuration } from "../../options/durations.ts";
import { refuse, type Parser } from "../../options/parse.ts";
import { isWord } from "./protocol.ts";

const MIN_TOKEN = 16;

/** A token is never shown, whatever is wrong with it. */
export const token: Parser = (name, value) => {
  if (isWord(value) && value.length >= MIN_TOKEN) return { [name]: value };
  throw new OptionError(
    `${name}: what was given is not shown; it takes at least ${MIN_TOKEN} printable characters of ASCII without blanks`,
  );
};

/** Reads a duration from `least` to an hour into the field of its name and "Ms". */
export const within =
  (least: number): Parser =>
  (name, value) => {
    const ms = parseDuration(name, value);
    return ms >= least && ms <= 3_600_000 ? { [`${name}Ms`]: ms } : refuse(name, value, `from ${least} ms to an hour`);
  };
