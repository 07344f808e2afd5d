/** The regex engine of this project: RE2 syntax, linear time, in JavaScript (package re2js). The only file that imports it. */
import { RE2JS } from 're2js';
import type { RegexEngine } from '../match/regex.ts';

/** Characters of an expression. The API allows 1,024 for a path and 4,096 for a header. */
const LONGEST_SOURCE = 4096;
/** Instructions of a compiled expression: the time for a value is at worst its length times this. */
const LARGEST_PROGRAM = 500;

export const re2: RegexEngine = {
  compile(source) {
    if (source.length > LONGEST_SOURCE) {
      return { problem: `it has ${source.length} characters, at most ${LONGEST_SOURCE} are allowed` };
    }
    try {
      const regex = RE2JS.compile(source);
      const size = regex.programSize();
      if (size > LARGEST_PROGRAM) {
        return { problem: `it takes ${size} instructions, at most ${LARGEST_PROGRAM} are allowed` };
      }
      return { regex: { test: (value) => regex.matches(value) } };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  },
};
