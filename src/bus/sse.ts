// isocache/sse: a bus over server-sent events: a hub that is a fetch handler, and its client on fetch.
export { sseHub } from "./sse/hub.ts";
export type { SseHub } from "./sse/hub.ts";
export type { SseHistoryOptions, SseHubOptions } from "./sse/hub-options.ts";
export { sseBus } from "./sse/bus.ts";
export type { SseBusOptions, SseFetch } from "./sse/bus-options.ts";
