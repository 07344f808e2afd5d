/** Whether processes can share ports here, which takes an option of the system (SO_REUSEPORT) that spreads connections over them. */

export interface PossibleWorkers {
  readonly count: number;
  /** Why there are fewer than asked for, as a sentence. */
  readonly why?: string;
}

/** `listen` knows `reusePort` from Node 22.12 and 23.1 on; of the systems, only Linux is known to spread connections evenly. */
export function possibleWorkers(
  wanted: number,
  platform: string = process.platform,
  version: string = process.versions.node,
): PossibleWorkers {
  if (wanted === 1) return { count: 1 };
  const only = `one worker serves, not ${wanted}`;
  if (platform !== 'linux') return { count: 1, why: `${only}: processes share ports on Linux only` };
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isKnown = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
  if (isKnown) return { count: wanted };
  return {
    count: 1,
    why: `${only}: found Node ${version}, expected 22.12, 23.1 or newer for processes to share ports`,
  };
}
