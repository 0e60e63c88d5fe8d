// Made by "npm run script" of the Lua in script/preludes/: what a transport puts in front of the script.
import type { Prelude } from "./transport.ts";

const LOCKING = "#!lua flags=allow-key-locking\n";
const carried =
  'local o,i=ARGV[1]:match("^#(%d+)$"),ARGV[3]if o then if o-#i~=0 then return{err="ERR the value was changed on its way"}end local e=0 for t in ARGV[2]:gmatch("(.-)\\r")do e=e+1 ARGV[e]=t:gsub("\\f","/")..""end ARGV[e+1]=i else local n for e,t in ipairs(ARGV)do if t:byte()==1 then if not n then n={}for s=0,255 do n[string.char(196+math.floor(s/64),128+s%64)]=string.char(s)end end ARGV[e]=t:sub(2):gsub("[\\196-\\199][\\128-\\191]",n)..""end end end ';
const textReplies =
  'local redis=redis local i=redis.call local function t(n)return n and"="..n:gsub("[\\128-\\255]",function(r)local s=r:byte()return string.char(192+math.floor(s/64),128+s%64)end)end redis={pcall=redis.pcall,call=function(...)local e,o,c,a,d,l=i(...),...if o=="HGET"and a=="b"then return t(e)end if o=="HMGET"and l=="b"then e[3]=t(e[3])end return e end,} ';

/** Nothing: bytes go both ways. */
export const plainPreludes: readonly Prelude[] = [["2c622a9504ab978f6fb01949c6f839132948b993"]];
/** For replies that come as text. */
export const textPreludes: readonly Prelude[] = [["25cb53cf0a16d44ea42c191da87e3cb528caf3c3", textReplies]];
/** For commands that `toPath` and `toPlain` rewrote: with locks of keys, and where they are not known. */
export const carriedPreludes: readonly Prelude[] = [
  ["728b1b0b86e36225c931119ec2dcaa81ff0e2e65", LOCKING, carried],
  ["a2c35bff742383ed6c7609f13f5c45ef99388c57", carried],
];
/** For both. */
export const carriedTextPreludes: readonly Prelude[] = [
  ["0e8826a81c2e0adbbe3f0479fbf999a0dd2f3fa0", LOCKING, carried, textReplies],
  ["822c525d9130baef3b0b16d04173443e24e60c02", carried, textReplies],
];
