// How a Durable Object tells its caller that it has a read and holds it: by this header, sent before the body.

/** The headers of a held read come at once, its body when the wait ends. */
export const HELD = "isocache-held";
