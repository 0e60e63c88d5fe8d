// Scripts that lock their keys alone: a flag that Redis does not know, and the rules that come with it.
import { createHash } from "node:crypto";
import { textOf } from "../resp.ts";
import type { Command, Reply } from "../resp.ts";
import { nameOf } from "./commands.ts";

/** What a script with the flag may not use, as it concerns more than its keys. */
const WIDE = ["DBSIZE", "FLUSHALL", "FLUSHDB", "KEYS", "RANDOMKEY", "SCAN", "SWAPDB"];

/** Stands where the flag stood: looks at each command that the script runs. One line, so that errors keep their places. */
const WATCH = `
local redis = (function(redis)
  local locked, wide = {}, {${WIDE.map((name) => `${name} = true`).join(", ")}}
  for _, key in ipairs(KEYS) do locked[key] = true end
  local function refusal(name, ...)
    if wide[string.upper(name)] then return "ERR '" .. name .. "' is not allowed with allow-key-locking" end
    local keys = redis.pcall("COMMAND", "GETKEYS", name, ...)
    for _, key in ipairs(keys) do
      if not locked[key] then return "ERR a key is not in KEYS, as allow-key-locking demands: " .. key end
    end
  end
  return setmetatable({
    call = function(...)
      local refused = refusal(...)
      if refused then error({err = refused}) end
      return redis.call(...)
    end,
    pcall = function(...)
      local refused = refusal(...)
      if refused then return redis.error_reply(refused) end
      return redis.pcall(...)
    end,
  }, {__index = redis})
end)(redis)
`.replaceAll(/\s*\n\s*/g, " ");

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

const textOfArgument = (argument: string | Uint8Array): string => Buffer.from(argument as string).toString(); // either has an overload

/** The script as Redis takes it. */
function withoutFlag(script: string): string {
  const [, flags = ""] = /^#!lua flags=(\S*)\n/.exec(script) ?? [];
  const others = flags.split(",").filter((flag) => flag !== "allow-key-locking");
  if (others.length === flags.split(",").length) return script;
  const body = WATCH + script.slice(script.indexOf("\n") + 1);
  return others.length > 0 ? `#!lua flags=${others.join()}\n${body}` : body;
}

/** Scripts are known by the digest of what was sent, whatever Redis is given instead. */
export function createLocking() {
  const digests = new Map<string, string>();
  const replaced = (script: string): string => {
    const plain = withoutFlag(script);
    if (plain !== script) digests.set(sha1(script), sha1(plain));
    return plain;
  };
  const digestOf = (digest: string): string => digests.get(digest.toLowerCase()) ?? digest;

  return {
    /** The command for Redis. */
    command(command: Command): Command {
      const [name = "", first = "", ...others] = command;
      switch (nameOf(command)) {
        case "EVAL":
        case "EVAL_RO":
          return [name, replaced(textOfArgument(first)), ...others];
        case "EVALSHA":
        case "EVALSHA_RO":
          return [name, digestOf(textOfArgument(first)), ...others];
        case "SCRIPT":
          // LOAD takes a script, EXISTS takes digests.
          return [name, first, ...others.map((other) => digestOf(replaced(textOfArgument(other))))];
        default:
          return command;
      }
    },
    /** What is answered to the command as it was sent. */
    reply(command: Command, reply: Reply): Reply {
      const isLoaded = nameOf(command) === "SCRIPT" && textOf(reply)?.length === 40;
      return isLoaded ? { type: "bulk", bytes: Buffer.from(sha1(textOfArgument(command[2] ?? ""))) } : reply;
    },
  };
}
