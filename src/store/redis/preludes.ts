// Made by "npm run script" of the Lua in script/preludes/: what a transport puts in front of the script.
import type { Prelude } from "./transport.ts";

const LOCKING = "#!lua flags=allow-key-locking\n";
const carried =
  'local o,i=ARGV[1]:match("^#(%d+)$"),ARGV[3]if o then if o-#i~=0 then return{err="ERR the value was changed on its way"}end local e=0 for t in ARGV[2]:gmatch("(.-)\\r")do e=e+1 ARGV[e]=t:gsub("\\f","/")..""end ARGV[e+1]=i else local n for e,t in ipairs(ARGV)do if t:byte()==1 then if not n then n={}for s=0,255 do n[string.char(196+math.floor(s/64),128+s%64)]=string.char(s)end end ARGV[e]=t:sub(2):gsub("[\\196-\\199][\\128-\\191]",n)..""end end end ';
const textReplies =
  'local redis=redis local i=redis.call local function t(n)return n and"="..n:gsub("[\\128-\\255]",function(r)local s=r:byte()return string.char(192+math.floor(s/64),128+s%64)end)end redis={pcall=redis.pcall,call=function(...)local e,o,c,a,d,l=i(...),...if o=="HGET"and a=="b"then return t(e)end if o=="HMGET"and l=="b"then e[3]=t(e[3])end return e end,} ';

/** Nothing: bytes go both ways. */
export const plainPreludes: readonly Prelude[] = [["249b0b667cfc403d776dbb3e419fa75321d6cbcc"]];
/** For replies that come as text. */
export const textPreludes: readonly Prelude[] = [["fbb865114a445d1d7aa91e0be5ea4e09054fcd06", textReplies]];
/** For commands that `toPath` and `toPlain` rewrote: with locks of keys, and where they are not known. */
export const carriedPreludes: readonly Prelude[] = [
  ["ca4822f4c9aaeb60c64d0e1bcb2c2eaf6a8c2af0", LOCKING, carried],
  ["daec199b4b7eaeb7d75986279c91849693cb7cb4", carried],
];
/** For both. */
export const carriedTextPreludes: readonly Prelude[] = [
  ["38f42eb132f8ef4b0295a627788067b291e03a5e", LOCKING, carried, textReplies],
  ["bf35e88b93e75a5c7c913a6dc7b21c47610192cf", carried, textReplies],
];
