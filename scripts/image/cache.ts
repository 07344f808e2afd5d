import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** What takes long to make: outside the checkout, and may be deleted at any time that no cluster under test is up. */
export const CACHE = resolve(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gatewright');
