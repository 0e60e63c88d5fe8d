// Namespaces: how keys and tags of nested namespaces are told apart, and which reserved tags enclose an entry.
import { RESERVED_TAG } from "../store/contract.ts";

/** A place in the tree of namespaces. The root is the cache itself. */
export interface Scope {
  /** "" at the root; each level adds its length and name, so that no two paths are prefixes of each other by accident. */
  readonly path: string;
  /** One reserved tag for the root and for each enclosing namespace, this one last. Shared by all untagged entries. */
  readonly reserved: readonly string[];
}

export const ROOT: Scope = { path: "", reserved: [RESERVED_TAG] };

/** The namespace of this name inside another. */
export function child(parent: Scope, name: string): Scope {
  const path = `${parent.path}${name.length}:${name}`;
  return { path, reserved: [...parent.reserved, RESERVED_TAG + path] };
}

/** First character of every key that is not just the user's own: keys at the root stay as they are, for the sake of hits. */
const MARK = 1;
const MARK_TEXT = "\u0001";

/** The key under which an entry is kept. Injective over scopes and keys. */
export function storedKey(scope: Scope, key: string): string {
  return scope.path === "" && key.charCodeAt(0) !== MARK ? key : `${MARK_TEXT}${scope.path}/${key}`;
}

/** What all keys of a namespace, and of those in it, begin with. Only for namespaces: keys at the root are as they are. */
export const keyPrefix = ({ path }: Scope): string => MARK_TEXT + path;

const USER_TAG = "#";

/** What follows the path of a stored key or tag: both begin with one character and the path. */
function afterPath(stored: string): string {
  let at = 1;
  while (stored[at] !== "/") at = stored.indexOf(":", at) + 1 + parseInt(stored.slice(at));
  return stored.slice(at + 1);
}

/** The user's key again, out of whatever namespace. */
export const userKey = (stored: string): string => (stored.charCodeAt(0) === MARK ? afterPath(stored) : stored);

/** The user's tags among those that a write names. */
export const namedTags = (tags: readonly string[]): string[] => tags.filter(isUserTag).map(afterPath);

/** The tag that an invalidation in this scope names. */
export function scopedTag({ path }: Pick<Scope, "path">, tag: string): string {
  return `${USER_TAG}${path}/${tag}`;
}

/** All tags an entry carries: the reserved ones, and each of its own once for every scope that can name it. */
export function entryTags(scope: Scope, tags: readonly string[]): readonly string[] {
  if (tags.length === 0) return scope.reserved;
  const unique = [...new Set(tags)];
  return [
    ...scope.reserved,
    ...scope.reserved.flatMap((reserved) => unique.map((tag) => scopedTag({ path: reserved.slice(1) }, tag))),
  ];
}

/** The user's tags among those an entry carries. */
export function userTags(scope: Scope, tags: readonly string[]): string[] {
  const prefix = scopedTag(scope, "");
  return tags.filter((tag) => tag.startsWith(prefix)).map((tag) => tag.slice(prefix.length));
}

/** Whether a tag was given by a user, not reserved. */
export const isUserTag = (tag: string): boolean => tag.startsWith(USER_TAG);
