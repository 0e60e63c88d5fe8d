// Made by "npm run script" of the Lua in script/preludes/: what a transport puts in front of the script.
import type { Prelude } from "./transport.ts";

const LOCKING = "#!lua flags=allow-key-locking\n";
const carried =
  'local o,i=ARGV[1]:match("^#(%d+)$"),ARGV[3]if o then if o-#i~=0 then return{err="ERR the value was changed on its way"}end local e=0 for t in ARGV[2]:gmatch("(.-)\\r")do e=e+1 ARGV[e]=t:gsub("\\f","/")..""end ARGV[e+1]=i else local n for e,t in ipairs(ARGV)do if t:byte()==1 then if not n then n={}for s=0,255 do n[string.char(196+math.floor(s/64),128+s%64)]=string.char(s)end end ARGV[e]=t:sub(2):gsub("[\\196-\\199][\\128-\\191]",n)..""end end end ';
const textReplies =
  'local redis=redis local i=redis.call local function t(n)return n and"="..n:gsub("[\\128-\\255]",function(r)local s=r:byte()return string.char(192+math.floor(s/64),128+s%64)end)end redis={pcall=redis.pcall,call=function(...)local e,o,c,a,d,l=i(...),...if o=="HGET"and a=="b"then return t(e)end if o=="HMGET"and l=="b"then e[3]=t(e[3])end return e end,} ';

/** Nothing: bytes go both ways. */
export const plainPreludes: readonly Prelude[] = [["06c045c1917e79a357346b7cf3cbef023c2b122a"]];
/** For replies that come as text. */
export const textPreludes: readonly Prelude[] = [["a580dab0f4a930f69bb20d1ba00197164d7de52c", textReplies]];
/** For commands that `toPath` and `toPlain` rewrote: with locks of keys, and where they are not known. */
export const carriedPreludes: readonly Prelude[] = [
  ["92e8db5a0b373aa18ab4109ea975020da20b38e1", LOCKING, carried],
  ["7393835d79467775c3b01c44132e4fc55944a255", carried],
];
/** For both. */
export const carriedTextPreludes: readonly Prelude[] = [
  ["d35351fb6c863832b9a1201c4928a358b8d9b589", LOCKING, carried, textReplies],
  ["d2ee3829de0e6c2ef30ce9c762184ff35c32d156", carried, textReplies],
];
