/**
 * Reads from the cluster with kubectl, which knows every way of logging in that a kubeconfig can name, and is told the same
 * kubeconfig and context as the Kubernetes provider.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config } from '@pulumi/pulumi';
import { resolved } from './settings.ts';

/** Milliseconds for one answer. */
const PATIENCE = 30_000;
const LONGEST = 256 * 1024 * 1024;

export class Kubectl {
  readonly #options: readonly string[];

  private constructor(options: readonly string[]) {
    this.#options = options;
  }

  /** By the configuration of the provider: `kubernetes:kubeconfig`, a path or the text, and `kubernetes:context`. */
  static async connect(config = new Config('kubernetes')): Promise<Kubectl> {
    const [kubeconfig, context] = await Promise.all([
      resolved(config.getSecret('kubeconfig')),
      resolved(config.getSecret('context')),
    ]);
    return new Kubectl([
      ...(kubeconfig ? [`--kubeconfig=${existsSync(kubeconfig) ? kubeconfig : fileOf(kubeconfig)}`] : []),
      ...(context ? [`--context=${context}`] : []),
    ]);
  }

  /** All objects of a resource, such as `httproutes.gateway.networking.k8s.io`, in a namespace. */
  async list<T>(resource: string, namespace: string): Promise<readonly T[]> {
    const text = await this.#run(['get', resource, `--namespace=${namespace}`, '--output=json']);
    return (JSON.parse(text) as { items: readonly T[] }).items;
  }

  #run(args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { timeout: PATIENCE, maxBuffer: LONGEST };
      execFile('kubectl', [...args, ...this.#options], options, (error, out, err) => {
        if (!error) return resolve(out);
        if (error.code === 'ENOENT') {
          return reject(
            new KubectlMissing(
              'found no kubectl on PATH, which the wait for routes needs: install it, or set gatewright:wait to 0',
            ),
          );
        }
        reject(new Error(err.trim().split('\n').at(-1) || error.message));
      });
    });
  }
}

/** Trying again does not help. */
export class KubectlMissing extends Error {
  override readonly name = 'KubectlMissing';
}

/** A file that only we can read, until this process ends. */
function fileOf(kubeconfig: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, kubeconfig, { mode: 0o600 });
  return file;
}
