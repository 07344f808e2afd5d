import type { RegexEngine } from '../../gateway-runtime/match/regex.ts';
import { re2 } from '../../gateway-runtime/regex/re2.ts';

const compiled = new Map<string, ReturnType<RegexEngine['compile']>>();

/** The real engine; an expression is compiled once however often a property test asks for it. */
export const regex: RegexEngine = {
  compile(source) {
    const before = compiled.get(source);
    if (before) return before;
    const result = re2.compile(source);
    compiled.set(source, result);
    return result;
  },
};
