/** The background type check of an app, seen from the command line: ask after each edit, hear when it is done. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AppProblem } from './messages.ts';
import type { CheckReply } from './type-check-child.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const CHILD = fileURLToPath(new URL(`./type-check-child.${EXTENSION}`, import.meta.url));

export class TypeCheck {
  readonly #child: ChildProcess;
  #running = false;
  #again = false;
  #outdated = false;

  /** `report` gets the type errors of each check that was not overtaken by a newer edit. */
  constructor(path: string, report: (problems: readonly AppProblem[]) => void) {
    this.#child = fork(CHILD, [path], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    // Without a checker there is no report; serving goes on.
    this.#child.on('error', () => {});
    this.#child.on('message', (reply: CheckReply) => {
      this.#running = false;
      if (this.#again) this.check();
      else if (reply.type === 'checked' && !this.#outdated) report(reply.problems);
    });
  }

  /** An edit is being read: what is being checked is of the text before, and is not reported. Another check follows. */
  outdate(): void {
    this.#outdated = true;
  }

  /** Checks the app as it stands on disk now. */
  check(): void {
    this.#outdated = false;
    this.#again = this.#running;
    if (this.#running || !this.#child.connected) return;
    this.#running = true;
    this.#child.send({ check: true });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
