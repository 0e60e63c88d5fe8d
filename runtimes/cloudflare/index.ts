// isocache/cloudflare: the store on Durable Objects.
export { durableObjectStore } from "./store.ts";
export type { DurableObjectStoreOptions, ObjectNamespace, ObjectStub } from "./store.ts";
export { IsocacheObject } from "./object.ts";
export type { ObjectState } from "./host.ts";
