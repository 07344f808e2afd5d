/** `--app-timeout`: the same option for every command that runs apps. */
import { InvalidArgumentError, Option } from 'commander';
import { APP_TIMEOUT } from './app-process.ts';

const LONGEST = 3600;

/** Seconds, as `appTimeout`. */
export function appTimeoutOption(): Option {
  return new Option('--app-timeout <seconds>', 'how long an app may take')
    .argParser((text) => {
      const seconds = Number(text);
      if (text.trim() === '' || !(seconds > 0 && seconds <= LONGEST)) {
        throw new InvalidArgumentError(`Expected seconds, more than 0 and at most ${LONGEST}.`);
      }
      return seconds;
    })
    .default(APP_TIMEOUT);
}
