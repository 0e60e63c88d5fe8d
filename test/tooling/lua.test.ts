// Lua that was made short is the same program.
import { describe, expect, test } from "vitest";
import { minify } from "./lua.mjs";

describe("a script made short", () => {
  test.each([
    ["loses comments and spaces", "local a -- b\nreturn a", "local e return e"],
    ["keeps what strings hold", 'local a = "-- a  \\" a"', 'local e="-- a  \\" a"'],
    [
      "gives one name to all names that are alike",
      "local a = 1\nlocal function f(a, b) return a, b end",
      "local e=1 local function n(e,t)return e,t end",
    ],
    [
      "keeps fields, and keys of tables",
      "local a, b = {a = 1, b = b}\nreturn a.b, b:a()",
      "local t,e={a=1,b=e}return t.b,e:a()",
    ],
    [
      "takes a variable in a function in a table for one",
      "local t = {f = function() local a, b = 1 return b end}",
      "local t={f=function()local n,e=1 return e end}",
    ],
    ["keeps numbers and signs apart", 'local a = 1 ..""\nreturn a - -a', 'local e=1 ..""return e- -e'],
    ["has numbers for names that are given", "return END - 1", "return 4e12-1"],
  ])("%s", (_, source, short) => {
    expect(minify(source, { END: "4e12" })).toBe(short);
  });

  test.each([
    ["a name that nobody declared", "return nobody"],
    ["a local with the name of what is there", "local pcall = redis.pcall"],
    ["a long string", "return [[a]]"],
  ])("is refused with %s", (_, source) => {
    expect(() => minify(source)).toThrow();
  });
});
