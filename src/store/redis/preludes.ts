// Made by "npm run script" of the Lua in script/preludes/: what a transport puts in front of the script.
import type { Prelude } from "./transport.ts";

const LOCKING = "#!lua flags=allow-key-locking\n";
const carried =
  'if ARGV[1]:byte()==35 and table.remove(ARGV,1):sub(2)-#ARGV[#ARGV]~=0 then return{err="ERR the value was changed on its way"}end local e for s,n in ipairs(ARGV)do if n:byte()==1 then if not e then e={}for t=0,255 do e[string.char(196+math.floor(t/64),128+t%64)]=string.char(t)end end ARGV[s]=n:sub(2):gsub("[\\196-\\199][\\128-\\191]",e)..""end end ';
const textReplies =
  'local redis=redis local i=redis.call local function t(n)return n and"="..n:gsub("[\\128-\\255]",function(r)local s=r:byte()return string.char(192+math.floor(s/64),128+s%64)end)end redis={pcall=redis.pcall,call=function(...)local e,o,c,a,d,l=i(...),...if o=="HGET"and a=="b"then return t(e)end if o=="HMGET"and l=="b"then e[3]=t(e[3])end return e end,} ';

/** Nothing: bytes go both ways. */
export const plainPreludes: readonly Prelude[] = [["2c622a9504ab978f6fb01949c6f839132948b993"]];
/** For replies that come as text. */
export const textPreludes: readonly Prelude[] = [["25cb53cf0a16d44ea42c191da87e3cb528caf3c3", textReplies]];
/** For commands that `toPath` and `toPlain` rewrote: with locks of keys, and where they are not known. */
export const carriedPreludes: readonly Prelude[] = [
  ["9ce27bfd139e47b6490d02ab5c3bfc973d611607", LOCKING, carried],
  ["b1300f8945d38a0ef3578964b014eec31351158a", carried],
];
/** For both. */
export const carriedTextPreludes: readonly Prelude[] = [
  ["7d326285baa4838b2d53711399f3e921a5146267", LOCKING, carried, textReplies],
  ["490c7e04f1afcc906acf9d501ecc4e2e2885a66c", carried, textReplies],
];
