// Whether the packages on disk are those of the lockfile decides if `npm test` installs.
import { describe, expect, it } from "vitest";
import { isInstalled, lockfileFits } from "../tooling/install.mjs";

const lockfile = {
  packages: {
    "": { version: "0.1.0" },
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/b-windows": { version: "1.0.0", integrity: "sha512-b", optional: true },
  },
};
const installed = (packages: object) => ({ packages });

describe("packages fit the lockfile", () => {
  it("when all but optional ones are there, in the same version", () => {
    expect(lockfileFits(lockfile, installed({ "node_modules/a": lockfile.packages["node_modules/a"] }))).toBe(true);
  });

  it.each([
    ["nothing is installed", undefined],
    ["a package is missing", installed({})],
    ["a version differs", installed({ "node_modules/a": { version: "1.0.1", integrity: "sha512-a" } })],
    ["the contents differ", installed({ "node_modules/a": { version: "1.0.0", integrity: "sha512-x" } })],
    [
      "one is left over",
      installed({
        "node_modules/a": lockfile.packages["node_modules/a"],
        "node_modules/c": { version: "1.0.0", integrity: "sha512-c" },
      }),
    ],
  ])("not when %s", (_, found) => {
    expect(lockfileFits(lockfile, found)).toBe(false);
  });

  it("of this repository, since this test runs", () => {
    expect(isInstalled()).toBe(true);
  });
});
