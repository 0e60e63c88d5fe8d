// The tables of docs/sse.md against the code: every option is there, and every default is the one that applies.
import { expect, it } from "vitest";
import { resolveSseBus } from "../../src/bus/sse/bus-options.ts";
import { resolveHub } from "../../src/bus/sse/hub-options.ts";
import type { SseHubOptions } from "../../src/bus/sse.ts";
import { BUS_OPTIONS } from "../../src/bus/options.ts";
import { defaultPlatform } from "../../src/default-platform.ts";
import { readRepository } from "../house/repository.ts";
import { rowsUnder } from "./markdown.ts";

const page = readRepository().find(({ path }) => path === "docs/sse.md")?.text ?? "";

const namesTaken = (resolve: (options: object) => unknown): string[] => {
  try {
    resolve({ nothing: 1 });
  } catch (error) {
    return /there are (.*)$/.exec(String(error))?.[1]?.split(", ") ?? [];
  }
  return [];
};

it("the options of the hub are all there, with their defaults", () => {
  const rows = rowsUnder(page, "Options of the hub");
  const history = namesTaken((options) => resolveHub({ history: options })).map((name) => `history.${name}`);
  const names = namesTaken(resolveHub).flatMap((name) => (name === "history" ? history : [name]));
  expect(rows.map(([name]) => name)).toEqual(names);
  const platform = defaultPlatform();
  for (const [name = "", cell = ""] of rows) {
    if (cell === "none" || cell === "detected") continue;
    const [outer = "", inner] = name.split(".");
    const value: unknown = JSON.parse(cell);
    const options: SseHubOptions = { [outer]: inner === undefined ? value : { [inner]: value }, platform };
    expect(resolveHub(options)).toEqual(resolveHub({ platform }));
  }
});

it("the options of the client are all there", () => {
  const names = namesTaken((options) => resolveSseBus("http://hub/", options));
  const own = names.filter((name) => !Object.hasOwn(BUS_OPTIONS, name));
  expect(rowsUnder(page, "The client").map(([name]) => name)).toEqual(own);
});
