// Broken scripts of the Redis store, by name: each breaks one rule in its Lua.
import type { Edited } from "./mutants-many.ts";

export const scriptEdits: Readonly<Record<string, Edited>> = {
  "the script compares no epochs": {
    by: "no resurrection",
    edits: [
      {
        file: "hits",
        from: "n(sub(head, 49, 64)), sub(head, 65, 64 + EPOCH_LENGTH) == epoch",
        to: "n(sub(head, 49, 64)), true",
      },
      { file: "hits", from: `ARGV[6] == "" and sub(head, 65, 64 + EPOCH_LENGTH) == epoch`, to: `ARGV[6] == ""` },
    ],
  },
  "a hit of the script looks at no marks": {
    by: "no resurrection",
    edits: [{ file: "hits", from: "\n    and sub(head, 1, 16) - marked >= 0", to: "" }],
  },
  "the script ignores the floor": {
    by: "no resurrection",
    edits: [{ file: "hits", from: "if tagged and version < n(marks[1]) then return end", to: "" }],
  },
  "the script forgets an expiry of tags": {
    by: "no resurrection",
    edits: [{ file: "hits", from: `      names[#names + 1] = "x"..tag\n`, to: "" }],
  },
  "the script commits without a lease": {
    by: "no resurrection",
    edits: [
      {
        file: "operations",
        from: `  local owner, granted = leaseOf(L)\n  if owner ~= token then return "" end`,
        to: "  local granted = n(version)",
      },
    ],
  },
  "a write of the script leaves the lease": {
    by: "no resurrection",
    edits: [{ file: "writing", from: "    finish(E, L)\n", to: "" }],
  },
  "an expire of the script leaves the entry fresh": {
    by: "no resurrection",
    edits: [
      {
        file: "writing",
        from: `call("HSET", E, "x", min(call("HGET", E, "x") or time, time))`,
        to: `call("EXISTS", E)`,
      },
    ],
  },
  "the script ignores a witness": {
    by: "no resurrection",
    edits: [
      {
        file: "epochs",
        from: `seen ~= "" and contradicts(match(ARGV[2], "^(.-)\\n(.-)\\n(.*)")) or `,
        to: "",
      },
    ],
  },
  "the script ignores deadlines": {
    by: "loud writes",
    edits: [{ file: "operations", from: `return deadline ~= "" and time > n(deadline)`, to: "return false" }],
  },
  "the script does a write as often as it comes": {
    by: "loud writes",
    edits: [{ file: "writing", from: `local first = call("HGET", M, "n"..nonce)`, to: "local first = false" }],
  },
  "the script takes any number of partitions": {
    by: "loud writes",
    edits: [{ file: "epochs", from: "if lost or parts ~= recorded then", to: "if lost then" }],
  },
  "the script gives everybody the lease": {
    by: "one load",
    edits: [
      {
        file: "operations",
        from: `if owner and sound(version, theirs) and (owner ~= "" or fresh) then`,
        to: "if false then",
      },
    ],
  },
  "the script never trims its log": {
    by: "growth",
    edits: [{ file: "writing", from: "min(seq - records, oldest + 9)", to: "0" }],
  },
  "the script never prunes tags": {
    by: "growth",
    edits: [{ file: "writing", from: `n(call("HGET", M, "c")) > n(tags)`, to: "false" }],
  },
  "the script prunes without raising the floor": {
    by: "no resurrection",
    edits: [{ file: "writing", from: `"f", max(floor, n(call("HGET", M, "f"))), `, to: "" }],
  },
};
