/** One request to what `npm start` serves in a repository. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';

/** The body of what `http://<host><path>` answers. The command ends before this returns. */
export async function served(cwd: string, host: string, path: string): Promise<string> {
  const args = ['serve', 'preview.ts', '--port-offset', 'free', '--admin', '127.0.0.1:0'];
  const child = spawn(process.execPath, [join(cwd, 'node_modules/gatewright/dist/cli/main.js'), ...args], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = once(child, 'close');
  try {
    let said = '';
    for await (const text of child.stdout.setEncoding('utf8')) {
      said += text;
      if (said.includes('Watching:')) break;
    }
    const port = Number(/:(\d+) {2}\(port 80\)/.exec(said)?.[1]);
    const asked = request({ host: '127.0.0.1', port, path, headers: { host } }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    let body = '';
    for await (const text of answer.setEncoding('utf8')) body += text;
    return body;
  } finally {
    child.kill('SIGKILL');
    await closed;
  }
}
