// The whole cache in workerd, as a test outside plays with it: an origin that holds its answers, requests, and their times.
import { expect, vi } from "vitest";
import { PROTOCOL } from "../../src/store/wire.ts";
import { startWorkerd } from "./harness.ts";
import type { RawRequest, Workerd } from "./harness.ts";
import { startOrigin } from "./origin.ts";
import type { Origin, OriginBehaviour } from "./origin.ts";

/** What a request came to. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly tookMs: number;
}

/** Readers that wait. */
export interface Gathered {
  readonly answers: Promise<Answer[]>;
}

/** What an isolate counted, as far as it is looked at here. */
interface Stats {
  readonly hits: { readonly memory: number };
  readonly loads: number;
  readonly roundTrips: number;
}

/** One cache with one key, in which nobody else plays. */
export interface Scene {
  readonly key: string;
  /** How often the origin was asked for the key. */
  loads(): number;
  /** Holds what is asked of the origin from now on. Returns how to have it answered. */
  hold(behaviour?: OriginBehaviour): () => void;
  behave(behaviour: OriginBehaviour): void;
  /** Resolves when the origin has been asked so often. */
  loading(times: number): Promise<void>;
  /** How many loads were broken off. */
  abandoned(): number;
  ask(isolate: string, action?: string, params?: Record<string, string>): Promise<Answer>;
  /** Starts readers in an isolate; resolves when all of them wait. */
  gather(isolate: string, count: number, params?: Record<string, string>): Promise<Gathered>;
  /** A reader that answers as soon as the origin is asked, and leaves its load behind. */
  leaveEarly(isolate: string): Promise<void>;
  /** A reader whose client can be cut off. */
  raw(isolate: string, action?: string): RawRequest;
  /** What the cache's object was asked since it was made. */
  calls(): Promise<Readonly<Record<string, number>>>;
  stats(isolate: string): Promise<Stats>;
  evict(): Promise<void>;
  reset(): Promise<void>;
  /** Resets the object at the next such operation, before it or, undone or not, after it. */
  resetOn(operation: string, when: "before" | "after"): Promise<void>;
}

/** workerd with `survival-worker.ts` in it, and an origin. */
export interface SurvivalWorkerd extends Pick<Workerd, "uncaught" | "fetch" | "stop"> {
  scene(way: string, name: string): Scene;
  /** Cuts a client off, and waits until the isolate has noticed. */
  cut(isolate: string, client: RawRequest): Promise<void>;
}

/** For what happens soon, on a machine that does much else. */
const SOON = { timeout: 10_000, interval: 10 };

/** Waits for what happens soon. Unlike `expect.poll` it may be used by tests that run at the same time. */
export function until<T>(actual: () => T | Promise<T>, expected: NoInfer<T>): Promise<void> {
  return vi.waitFor(async () => void expect(await actual()).toEqual(expected), SOON);
}

/** Starts both. */
export async function startSurvivalWorkerd(compatibilityDate: string): Promise<SurvivalWorkerd> {
  const origin = await startOrigin();
  const bindings = { ORIGIN: origin.url };
  const objects = { CACHE: "SurvivalObject" };
  const options = { script: "./survival-worker.ts", compatibilityDate, objects, bindings };
  const workerd = await startWorkerd(options).catch(async (error: unknown) => {
    await origin.stop();
    throw error;
  });
  let cuts = 0;
  return {
    uncaught: workerd.uncaught,
    fetch: workerd.fetch,
    scene: (way, name) => createScene(workerd, origin, `${way}-${name}`),
    async cut(isolate, client) {
      // The control is cut off after it: when the origin sees that one go, the isolate knows of both.
      const path = `/direct/${++cuts}`;
      origin.behave(path, { until: new Promise(() => undefined) });
      const control = workerd.raw(isolate, path);
      await until(() => origin.count(path), 1);
      client.cut();
      control.cut();
      await until(() => origin.abandoned(path), 1);
    },
    async stop() {
      await workerd.stop();
      await origin.stop();
    },
  };
}

function createScene(workerd: Workerd, origin: Origin, cache: string): Scene {
  const key = `/${cache}`;
  const object = `isocache:${PROTOCOL}:${cache}:0`;

  const ask: Scene["ask"] = async (isolate, action = "read", params = {}) => {
    const startedAt = performance.now();
    const response = await workerd.fetch(isolate, `/${cache}/${action}?${new URLSearchParams({ key, ...params })}`);
    const text = await response.text();
    return { status: response.status, text, tookMs: performance.now() - startedAt };
  };
  const manage = async (action: string, params: Record<string, string> = {}): Promise<string> => {
    const response = await workerd.fetch(
      "edge1",
      `/object/${action}?${new URLSearchParams({ name: object, ...params })}`,
    );
    return response.text();
  };
  const begun = async (isolate: string): Promise<number> => Number((await ask(isolate, "begun")).text);
  const loading: Scene["loading"] = (times) => until(() => origin.count(key), times);
  const behave = (behaviour: OriginBehaviour): void => origin.behave(key, behaviour);

  return {
    key,
    loads: () => origin.count(key),
    behave,
    hold(behaviour = {}) {
      let release = (): void => undefined;
      behave({ ...behaviour, until: new Promise<void>((resolve) => void (release = resolve)) });
      return () => {
        behave(behaviour);
        release();
      };
    },
    loading,
    ask,
    abandoned: () => origin.abandoned(key),
    async gather(isolate, count, params) {
      const before = await begun(isolate);
      const answers = Promise.all(Array.from({ length: count }, () => ask(isolate, "read", params)));
      answers.catch(() => undefined); // whoever awaits it hears of it
      await until(() => begun(isolate), before + count);
      return { answers };
    },
    async leaveEarly(isolate) {
      const loads = origin.count(key);
      let release = (): void => undefined;
      origin.behave(`/early${key}`, { until: new Promise<void>((resolve) => void (release = resolve)) });
      const answer = ask(isolate, "read", { early: "" });
      await loading(loads + 1);
      release();
      expect((await answer).text).toContain("/early");
    },
    raw: (isolate, action = "read") => workerd.raw(isolate, `/${cache}/${action}?${new URLSearchParams({ key })}`),
    calls: async () => JSON.parse(await manage("calls")) as Record<string, number>, // as the Worker beside this file writes it
    stats: async (isolate) => JSON.parse((await ask(isolate, "stats")).text) as Stats, // the same
    evict: () => workerd.evict("CACHE", object),
    async reset() {
      await manage("reset");
    },
    async resetOn(operation, when) {
      await manage("reset-on", { operation, [when]: "" });
    },
  };
}
