// Makes what the Redis stores send of the Lua in src/store/redis/script: short, each text with its SHA-1.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import prettier from "prettier";
import { END, EPOCH_LENGTH } from "../../src/store/redis/script-facts.ts";
import { root } from "./install.mjs";
import { minify } from "./lua.mjs";

const folder = "src/store/redis/script";
/** One script, in this order. */
const parts = ["hits", "epochs", "entries", "leases", "operations", "writing", "closing"];
/** Where only the keys in KEYS are locked if a script begins so. */
const LOCKING = "#!lua flags=allow-key-locking\n";

const numbers = { EPOCH_LENGTH, END: String(END / 1e12) + "e12" };
const read = (name) => readFileSync(join(root, folder, `${name}.lua`), "utf8");

/** A prelude may give other values to what is global for the script: to itself and to what follows. */
function preludeOf(name) {
  const source = read(`preludes/${name}`);
  const changed = ["ARGV", "redis"].filter((global) => new RegExp(`^ *${global} = `, "m").test(source));
  return `${changed.map((global) => `local ${global}=${global} `).join("")}${minify(source)} `;
}

const quoted = (text) => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** The script; `edit` may change its parts, which it is given with their names. */
export const scriptOf = (edit = (_name, text) => text) =>
  minify(parts.map((name) => edit(name, read(name))).join("\n"), numbers);

/** The generated files, by their paths. */
export async function makeScript() {
  const script = scriptOf();
  const variant = (...texts) => {
    const hash = createHash("sha1")
      .update(texts.map(({ text }) => text).join("") + script)
      .digest("hex");
    return `[${[`"${hash}"`, ...texts.map(({ name }) => name)].join(", ")}]`;
  };
  const locking = { name: "LOCKING", text: LOCKING };
  const carried = { name: "carried", text: preludeOf("carried") };
  const textReplies = { name: "textReplies", text: preludeOf("text-replies") };
  const files = {
    "src/store/redis/script.ts": `// Made by "npm run script" of the Lua in script/: what all transports send.

export const script = ${quoted(script)};
`,
    "src/store/redis/preludes.ts": `// Made by "npm run script" of the Lua in script/preludes/: what a transport puts in front of the script.
import type { Prelude } from "./transport.ts";

const LOCKING = ${quoted(LOCKING)};
const carried = ${quoted(carried.text)};
const textReplies = ${quoted(textReplies.text)};

/** Nothing: bytes go both ways. */
export const plainPreludes: readonly Prelude[] = [${variant()}];
/** For replies that come as text. */
export const textPreludes: readonly Prelude[] = [${variant(textReplies)}];
/** For commands that \`toPath\` and \`toPlain\` rewrote: with locks of keys, and where they are not known. */
export const carriedPreludes: readonly Prelude[] = [${variant(locking, carried)}, ${variant(carried)}];
/** For both. */
export const carriedTextPreludes: readonly Prelude[] = [${variant(locking, carried, textReplies)}, ${variant(carried, textReplies)}];
`,
  };
  const options = await prettier.resolveConfig(join(root, "package.json"));
  const made = Object.entries(files).map(async ([path, text]) => {
    return [path, await prettier.format(text, { ...options, parser: "typescript" })];
  });
  return new Map(await Promise.all(made));
}
