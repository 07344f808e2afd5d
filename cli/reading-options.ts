/** The options of every command that reads files or apps and asks about requests. */
import type { Command } from 'commander';
import { appTimeoutOption } from './app/app-timeout.ts';

export interface ReadingFlags {
  readonly class?: string[];
  readonly strict?: true;
  /** Seconds. */
  readonly appTimeout: number;
  readonly json?: true;
}

export const withReadingOptions = (command: Command): Command =>
  command
    .option('--class <name...>', 'only Gateways of these classes (default: of any)')
    .option('--strict', 'take Secrets and Services that are missing here as missing')
    .addOption(appTimeoutOption())
    .option('--json', 'for machines');
