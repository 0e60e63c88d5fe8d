// Makes a Lua script short: no comments, no spaces, one name for each local name, the shortest for the most frequent.

const TOKEN = /--[^\n]*|\s+|("(?:[^"\\\n]|\\.)*")|([A-Za-z_]\w*)|(\d[\w.]*)|(\.\.\.?|[=~<>]=|[^\s\w"])/g;
const KEYWORDS = new Set(
  "and break do else elseif end false for function if in local nil not or repeat return then true until while".split(
    " ",
  ),
);
/** What a script finds when it begins. None may be the name of a local: all names that are alike are renamed alike. */
const GLOBALS = new Set(
  "ARGV KEYS redis tonumber tostring type select unpack ipairs pairs next error pcall string math table".split(" "),
);

/** The tokens of a script, without comments and spaces. Throws for what this does not read, such as long strings. */
function tokensOf(source) {
  const tokens = [];
  let end = 0;
  for (const { 0: text, 1: string, 2: name, 3: number, 4: sign, index } of source.matchAll(TOKEN)) {
    if (index !== end) break;
    end = index + text.length;
    if (string ?? name ?? number ?? sign) tokens.push(text);
  }
  if (end !== source.length || source.includes("[["))
    throw new Error(`Lua that is not read: ${source.slice(end, end + 40)}`);
  return tokens;
}

const isName = (token) => /^[A-Za-z_]/.test(token) && !KEYWORDS.has(token);

const OPENING = ["(", "[", "{", "function", "if", "do", "repeat"];
const CLOSING = [")", "]", "}", "end", "until"];

/** For each token whether it is a variable: no keyword, no field of a table. */
function variablesOf(tokens) {
  const open = [];
  return tokens.map((token, at) => {
    if (OPENING.includes(token)) open.push(token);
    if (CLOSING.includes(token)) open.pop();
    if (!isName(token) || tokens[at - 1] === "." || tokens[at - 1] === ":") return false;
    return !(open.at(-1) === "{" && "{,".includes(tokens[at - 1]) && tokens[at + 1] === "=");
  });
}

/** The names that are declared: by `local`, as parameters, and by `for`. */
function declaredIn(tokens) {
  const names = new Set();
  for (const [at, token] of tokens.entries()) {
    const isFunction = token === "function";
    if (!isFunction && token !== "local" && token !== "for") continue;
    let next = at + 1;
    if (isFunction) next = tokens.indexOf("(", at) + 1;
    else if (tokens[next] === "function") next++;
    for (; next < tokens.length && isName(tokens[next]); next += tokens[next + 1] === "," ? 2 : 1) {
      if (GLOBALS.has(tokens[next])) throw new Error(`${tokens[next]} is no name for a local`);
      names.add(tokens[next]);
    }
  }
  return names;
}

/** a to z, A to Z, then of two letters. */
function shortName(index) {
  const letters = "etnsoiralcdhumpfgvbywkxqjzETNSOIRALCDHUMPFGVBYWKXQJZ";
  const first = letters[index % letters.length];
  return index < letters.length ? first : shortName(Math.floor(index / letters.length) - 1) + first;
}

/**
 * The same script, shorter. `numbers` stand for names that are declared nowhere. `before` are tokens that are put in front
 * as they are.
 */
export function minify(source, numbers = {}) {
  const tokens = tokensOf(source).map((token) => (Object.hasOwn(numbers, token) ? String(numbers[token]) : token));
  const declared = declaredIn(tokens);
  const variables = variablesOf(tokens);
  const counts = new Map();
  for (const [at, token] of tokens.entries()) {
    if (!variables[at]) continue;
    if (declared.has(token)) counts.set(token, (counts.get(token) ?? 0) + 1);
    else if (!GLOBALS.has(token)) throw new Error(`${token} is neither declared nor given`);
  }
  const sorted = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const candidates = Array.from({ length: sorted.length + KEYWORDS.size }, (_, index) => shortName(index));
  const free = candidates.filter((name) => !KEYWORDS.has(name) && !GLOBALS.has(name));
  const names = new Map(sorted.map((name, index) => [name, free[index]]));
  let text = "";
  for (const [at, token] of tokens.entries()) {
    const next = variables[at] ? (names.get(token) ?? token) : token;
    // Letters and digits must not run together, nor may two signs that mean something else as one.
    if (/\w$/.test(text) && /^\w/.test(next)) text += " ";
    if (/\d$/.test(text) && next.startsWith(".")) text += " ";
    if (text.endsWith("-") && next === "-") text += " ";
    text += next;
  }
  return text;
}
