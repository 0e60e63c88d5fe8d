// Made by "npm run script" of the Lua in script/preludes/: what a transport puts in front of the script.
import type { Prelude } from "./transport.ts";

const LOCKING = "#!lua flags=allow-key-locking\n";
const carried =
  'if ARGV[1]:byte()==35 and table.remove(ARGV,1):sub(2)-#ARGV[#ARGV]~=0 then return{err="ERR the value was changed on its way"}end local e for s,n in ipairs(ARGV)do if n:byte()==1 then if not e then e={}for t=0,255 do e[string.char(196+math.floor(t/64),128+t%64)]=string.char(t)end end ARGV[s]=n:sub(2):gsub("[\\196-\\199][\\128-\\191]",e)..""end end ';
const textReplies =
  'local redis=redis local i=redis.call local function t(n)return n and"="..n:gsub("[\\128-\\255]",function(r)local s=r:byte()return string.char(192+math.floor(s/64),128+s%64)end)end redis={pcall=redis.pcall,call=function(...)local e,o,c,a,d,l=i(...),...if o=="HGET"and a=="b"then return t(e)end if o=="HMGET"and l=="b"then e[3]=t(e[3])end return e end,} ';

/** Nothing: bytes go both ways. */
export const plainPreludes: readonly Prelude[] = [["2912168bcd58950b69dac7e4e53344fe360567fc"]];
/** For replies that come as text. */
export const textPreludes: readonly Prelude[] = [["cad60a0124ce199398e9afbb490173385b104f06", textReplies]];
/** For commands that `toPath` and `toPlain` rewrote: with locks of keys, and where they are not known. */
export const carriedPreludes: readonly Prelude[] = [
  ["6fc49749aef050c889079745ef887b51e3c70811", LOCKING, carried],
  ["f2166ee49e531bd6455909c3334620d687df2266", carried],
];
/** For both. */
export const carriedTextPreludes: readonly Prelude[] = [
  ["a984d269a3da0b25118eb02eb3ffe1bd466bbe2f", LOCKING, carried, textReplies],
  ["6db31768ec75a9e3d7a35464f34c104a406f559e", carried, textReplies],
];
