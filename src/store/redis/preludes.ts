// Made by "npm run script" of the Lua in script/preludes/: what a transport puts in front of the script.
import type { Prelude } from "./transport.ts";

const LOCKING = "#!lua flags=allow-key-locking\n";
const carried =
  'local ARGV=ARGV local n,s=ARGV[1]:match("^([#~])([%d,]*)$")if n then local e,o={},{}if n=="#"then if tonumber(s)~=#ARGV[3]then return redis.error_reply("ERR the value did not arrive as it was sent")end for r in ARGV[2]:gmatch("(.-)\\r")do e[#e+1]=r:gsub("\\f","/")..""end e[#e+1]=ARGV[3]else for t=2,#ARGV do e[t-1]=ARGV[t]end for t=0,255 do o[string.char(196+math.floor(t/64),128+t%64)]=string.char(t)end for i in s:gmatch("%d+")do e[tonumber(i)]=e[tonumber(i)]:gsub("[\\196-\\199][\\128-\\191]",o)..""end end ARGV=e end ';
const textReplies =
  'local redis=redis local i=redis.call local function t(n)return n and"="..n:gsub("[\\128-\\255]",function(r)local s=r:byte()return string.char(192+math.floor(s/64),128+s%64)end)end redis={pcall=redis.pcall,call=function(...)local e,o,c,a,d,l=i(...),...if o=="HGET"and a=="b"then return t(e)end if o=="HMGET"and l=="b"then e[3]=t(e[3])end return e end,} ';

/** Nothing: bytes go both ways. */
export const plainPreludes: readonly Prelude[] = [["", "06c045c1917e79a357346b7cf3cbef023c2b122a"]];
/** For replies that come as text. */
export const textPreludes: readonly Prelude[] = [[textReplies, "a580dab0f4a930f69bb20d1ba00197164d7de52c"]];
/** For commands that `toPath` and `toPlain` rewrote: with locks of keys, and where they are not known. */
export const carriedPreludes: readonly Prelude[] = [
  [LOCKING + carried, "db389a48f4b651ff92b2a565a7d977d9b67faa58"],
  [carried, "d832fbb9a9282e05b3a0b9da6000d1edd3332def"],
];
/** For both. */
export const carriedTextPreludes: readonly Prelude[] = [
  [LOCKING + carried + textReplies, "169264ce4d8e8c6151b99b0c6d9b7f7087a00528"],
  [carried + textReplies, "be8373820098d59b6df43bcd97a228f460061a82"],
];
