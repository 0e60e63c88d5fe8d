// The tables of docs/api.md against the code: no method, event or error is missing.
import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache.ts";
import * as errors from "../../src/errors.ts";
import { IsocacheError } from "../../src/errors.ts";
import type { EventName } from "../../src/observe/events.ts";
import { readRepository } from "../house/repository.ts";
import { rowsUnder } from "./markdown.ts";

const page = readRepository().find(({ path }) => path === "docs/api.md")?.text ?? "";

describe("the tables of docs/api.md", () => {
  it("list every method", () => {
    const methods = rowsUnder(page, "Methods").map(([call = ""]) => /^cache\.(\w+)\(/.exec(call)?.[1]);
    expect(methods.sort()).toEqual(Object.keys(createCache()).sort());
  });

  it("list every event", () => {
    // Typed by the names, so that none can be forgotten here.
    const events: Record<EventName, true> = {
      hit: true,
      miss: true,
      load: true,
      write: true,
      sync: true,
      breaker: true,
      bus: true,
      evict: true,
      error: true,
    };
    expect(
      rowsUnder(page, "Events")
        .map(([name]) => name)
        .sort(),
    ).toEqual(Object.keys(events).sort());
  });

  it("list every error with its code", () => {
    const classes = Object.values(errors).filter((each) => each !== IsocacheError);
    const thrown = classes.map((Each) => {
      const { name, code } = new (Each as new () => IsocacheError)(); // all but the base can be made
      return [name, code];
    });
    expect(
      rowsUnder(page, "Errors")
        .map((row) => row.slice(0, 2))
        .sort(),
    ).toEqual(thrown.sort());
  });
});
