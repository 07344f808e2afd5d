/** What people get wrong on the command line: what was found and expected, and the next step, in words and never a code of the system. */
import { describe, expect, it } from '@jest/globals';
import { gatewright } from './support/command.ts';
import { Folder } from './support/folder.ts';
import { GATEWAY } from './support/objects.ts';

/** `HERE/` stands for a folder with `all.yaml`, `app.ts` and `a-file`. */
const SAID: readonly (readonly [what: string, args: string, code: number, stderr: string])[] = [
  [
    'no argument',
    'serve',
    2,
    "error: missing required argument 'path'\n(gatewright serve --help shows examples)\n",
  ],
  [
    'a file where synth is to write a folder',
    'synth HERE/app.ts -o HERE/a-file',
    2,
    "error --output HERE/a-file can't be written: it is a file, expected a folder. Fix: name another folder.\n",
  ],
  [
    'a file where init is to write a folder',
    'init platform HERE/a-file',
    1,
    "error HERE/a-file can't be written: it is a file, expected a folder. Fix: name another folder.\n",
  ],
  [
    'grants that are other JSON',
    'init team HERE/team --grants HERE/team.json',
    1,
    'error --grants HERE/team.json: HERE/team.json is not what the platform exports: found no team.name. Fix: have the platform write it, npm run grants.\n',
  ],
  [
    'a log in a folder that is not there',
    'serve HERE/all.yaml --access-log HERE/nowhere/a.log',
    2,
    "error --access-log HERE/nowhere/a.log can't be written: its folder does not exist. Fix: name another file.\n",
  ],
  [
    'an address that is none',
    'serve HERE/all.yaml --address 1.2.3',
    2,
    "error: option '--address <ip>' argument '1.2.3' is invalid. Expected an IP address of this machine, such as 127.0.0.1, or 0.0.0.0 for all.\n(gatewright serve --help shows examples)\n",
  ],
  [
    // Of the block for documentation (RFC 5737).
    'an address of another machine',
    'serve HERE/all.yaml --address 192.0.2.1 --port-offset 20000',
    1,
    "error none of the ports can be had:\n  port 20080 of 192.0.2.1, for the listener port 80, can't be bound: 192.0.2.1 is no address of this machine\n  port 20443 of 192.0.2.1, for the listener port 443, can't be bound: 192.0.2.1 is no address of this machine\nName another address: --address 127.0.0.1 for this machine alone, 0.0.0.0 for all its networks.\n",
  ],
  [
    'no URL',
    'explain HERE/all.yaml',
    2,
    'error found "HERE/all.yaml", expected a method and a URL, such as GET https://shop.example.com/cart.\n',
  ],
  [
    'a class that no Gateway has',
    'explain HERE/all.yaml http://shop.example.com/ --class other --strict',
    1,
    'error no Gateway among the objects. Name the files with a Gateway too, or leave --class out: infra/shared-gw is of class any-class.\n',
  ],
  [
    'no URL for its owner',
    'owners HERE/all.yaml --url shop',
    2,
    'error --url shop: found "shop", expected a URL such as https://shop.example.com/checkout.\n',
  ],
  [
    'text that is no YAML',
    'diff HERE/torn.yaml HERE/all.yaml',
    2,
    'error HERE/torn.yaml has no objects. HERE/torn.yaml:1: found no valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ].\n',
  ],
  [
    'a log that is not there, before any app is asked',
    'replay HERE/a.log --against HERE/app.ts',
    2,
    'error HERE/a.log: no such file. Name an access log, or - for standard input.\n',
  ],
];

describe('the command line tells what was wrong of', () => {
  it.each(SAID)('%s', async (_what, args, code, stderr) => {
    using folder = new Folder();
    folder.write('all.yaml', GATEWAY);
    folder.write('app.ts', "throw new Error('asked');\n");
    folder.write('a-file', '');
    folder.write('team.json', '{ "team": 1 }\n');
    folder.write('team.yaml', '');
    folder.write('torn.yaml', 'a: [');
    const here = (text: string) => text.replaceAll('HERE/', `${folder.shown('.')}/`);
    expect(await gatewright(args.split(' ').map(here))).toEqual({ code, stdout: '', stderr: here(stderr) });
  });
});
