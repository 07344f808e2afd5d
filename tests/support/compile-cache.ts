/**
 * For processes that tests start: the variable by which Node keeps what it compiled, and reads it where a source is the same as then. Most of
 * the time of a short process is that compiling, cdk8s above all.
 */
import { resolve } from 'node:path';

export const compileCache = { NODE_COMPILE_CACHE: resolve('node_modules', '.cache', 'gatewright-tests') };
