// Made by "npm run script" of the Lua in script/preludes/: what a transport puts in front of the script.
import type { Prelude } from "./transport.ts";

const LOCKING = "#!lua flags=allow-key-locking\n";
const carried =
  'if ARGV[1]:byte()==35 and table.remove(ARGV,1):sub(2)-#ARGV[#ARGV]~=0 then return{err="ERR the value was changed on its way"}end local e for s,n in ipairs(ARGV)do if n:byte()==1 then if not e then e={}for t=0,255 do e[string.char(196+math.floor(t/64),128+t%64)]=string.char(t)end end ARGV[s]=n:sub(2):gsub("[\\196-\\199][\\128-\\191]",e)..""end end ';
const textReplies =
  'local redis=redis local i=redis.call local function t(n)return n and"="..n:gsub("[\\128-\\255]",function(r)local s=r:byte()return string.char(192+math.floor(s/64),128+s%64)end)end redis={pcall=redis.pcall,call=function(...)local e,o,c,a,d,l=i(...),...if o=="HGET"and a=="b"then return t(e)end if o=="HMGET"and l=="b"then e[3]=t(e[3])end return e end,} ';

/** Nothing: bytes go both ways. */
export const plainPreludes: readonly Prelude[] = [["746f258e8db41cdcb16c9aade9665636612790d2"]];
/** For replies that come as text. */
export const textPreludes: readonly Prelude[] = [["8579ea5ee5f4d80cd34fc3cbcee1d5e7a8487bc2", textReplies]];
/** For commands that `toPath` and `toPlain` rewrote: with locks of keys, and where they are not known. */
export const carriedPreludes: readonly Prelude[] = [
  ["2ce5bb0074c5faa9fce26a13a998dc52158feae0", LOCKING, carried],
  ["1ccc2a5b22b8710b23fbef5f03611e27ca5435ff", carried],
];
/** For both. */
export const carriedTextPreludes: readonly Prelude[] = [
  ["83c741acd36ec732fa7d5002b8b1cfd72c9a6635", LOCKING, carried, textReplies],
  ["45ee095de0a49975e2ac4b43690f2fc8f965a9eb", carried, textReplies],
];
