import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { Serving } from './support/command.ts';
import { paste } from './support/curl.ts';
import { Folder } from './support/folder.ts';
import { HeldBackend } from './support/held-backend.ts';
import { WHOAMI } from './support/objects.ts';

// What waits too long says itself what it waits for.
jest.setTimeout(180_000);

const FREE = ['--port-offset', 'free'];

describe('gatewright serve', () => {
  it('on SIGTERM answers what is in flight, takes nothing new and ends', async () => {
    using folder = new Folder();
    using held = await HeldBackend.listening();
    const args = ['--backend', `shop/whoami:80=${held.url}`];
    await using serving = await new Serving([folder.write('all.yaml', WHOAMI), ...FREE, ...args]).ready();
    const command = serving.commands[0]!;
    const pending = paste(command);
    // An answer that came without it would be the gateway's own.
    expect(await Promise.race([held.asked, pending])).toBeUndefined();
    serving.signal('SIGTERM');
    await serving.until(() => serving.stdout.includes('Stopping:'));
    await expect(refused(serving.port(80))).resolves.toBe(true);
    held.answer();
    expect(await pending).toMatchObject({ status: 200, body: 'late but whole' });
    expect(await serving.ended()).toBe(0);
  });
});

describe('gatewright serve below npm', () => {
  it('stops when npm is told to, though its shell keeps the signal to itself', async () => {
    using folder = new Folder();
    const file = folder.write('all.yaml', WHOAMI);
    // As npm runs scripts: a shell that waits, and that ends alone.
    const command = `'${process.execPath}' --conditions=gatewright-source cli/main.ts serve '${file}' --port-offset free --admin 127.0.0.1:0; true`;
    const shell = spawn('sh', ['-c', command], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, NODE_OPTIONS: '', npm_lifecycle_event: 'start' },
    });
    let said = '';
    let next = () => {};
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      next();
    });
    const until = async (text: string) => {
      while (!said.includes(text)) {
        await new Promise<void>((resolve) => {
          next = resolve;
        });
      }
    };
    await until('Watching:');
    shell.kill('SIGTERM');
    await until('Stopping:');
    // The pipe is closed by the last process that has it.
    await once(shell, 'close');
  });
});

/** Whether a port comes to refuse connections. */
async function refused(port: number): Promise<boolean> {
  const { connect } = await import('node:net');
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const outcome = await Promise.race([
      once(socket, 'connect').then(() => false),
      once(socket, 'error').then(() => true),
    ]).catch(() => true);
    socket.destroy();
    if (outcome) return true;
  }
  return false;
}
