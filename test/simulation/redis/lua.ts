// A Lua 5.1, as Redis has it, in WebAssembly: runs one function of texts, which may hold any bytes.
import { createRequire } from "node:module";

/** What is used of the module that emscripten made of Lua: pointers are numbers. */
interface Glue {
  readonly HEAPU8: Uint8Array;
  readonly HEAP32: Int32Array;
  _malloc(size: number): number;
  _luaL_newstate(): number;
  _luaL_openlibs(state: number): void;
  _luaL_loadbuffer(state: number, code: number, size: number, name: number): number;
  _lua_pcall(state: number, args: number, results: number, handler: number): number;
  _lua_pushvalue(state: number, index: number): void;
  _lua_pushstring(state: number, text: number): number;
  _lua_tolstring(state: number, index: number, size: number): number;
  _lua_settop(state: number, index: number): void;
}

/** Loads it, without its listeners: they would end the process when a test rejects what nobody hears. */
function load(): Glue {
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = events.map((event) => new Set<unknown>(process.listeners(event as "uncaughtException")));
  const make = createRequire(import.meta.url)("lua-wasm-bindings/dist/glue/glue-lua-5.1.5.js") as () => Glue; // it is in there
  const glue = make();
  events.forEach((event, index) => {
    for (const listener of process.listeners(event as "uncaughtException")) {
      if (!before[index]!.has(listener)) process.off(event, listener); // as many
    }
  });
  return glue;
}

/** `code` gives a function of one string, which gives one. A Lua error is thrown as an Error. */
export function loadLua(code: string): (message: Uint8Array) => Uint8Array {
  const glue = load();
  const state = glue._luaL_newstate();
  const sizeAt = glue._malloc(8);
  let room = 0;
  let inputAt = 0;

  /** Puts bytes where Lua finds them, with a zero byte behind. */
  const put = (bytes: Uint8Array): number => {
    if (bytes.length + 1 > room) {
      room = 2 * bytes.length + 65_536;
      inputAt = glue._malloc(room);
      if (inputAt === 0) throw new Error("Lua has no memory left");
    }
    glue.HEAPU8.set(bytes, inputAt);
    glue.HEAPU8[inputAt + bytes.length] = 0;
    return inputAt;
  };
  const take = (): Uint8Array => {
    const at = glue._lua_tolstring(state, -1, sizeAt);
    return glue.HEAPU8.slice(at, at + glue.HEAP32[sizeAt >> 2]!); // it has just been written
  };
  const check = (status: number): void => {
    if (status !== 0) throw new Error(new TextDecoder().decode(take()));
  };

  glue._luaL_openlibs(state);
  const bytes = new TextEncoder().encode(code);
  check(glue._luaL_loadbuffer(state, put(bytes), bytes.length, put(bytes)));
  check(glue._lua_pcall(state, 0, 1, 0));
  return (message) => {
    glue._lua_pushvalue(state, 1);
    glue._lua_pushstring(state, put(message));
    try {
      check(glue._lua_pcall(state, 1, 1, 0));
      return take();
    } finally {
      glue._lua_settop(state, 1);
    }
  };
}
