/**
 * Reads from the cluster with kubectl, which knows every way of logging in that a kubeconfig can name, and is told the same
 * kubeconfig and context as the Kubernetes provider.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config, type Input } from '@pulumi/pulumi';
import { ApiError } from '../gateway-runtime/control/cluster/client.ts';
import { known, resolved } from './resolved.ts';

/** Milliseconds for one answer. */
const PATIENCE = 30_000;
/** Milliseconds for the first answer, and for the login before it: kubectl alone would try half a minute to connect. */
const FIRST_PATIENCE = 10_000;
const LONGEST = 256 * 1024 * 1024;

/** Which cluster. */
export interface ClusterAccess {
  /**
   * A path or the text, as the provider takes it.
   * @default - `kubernetes:kubeconfig` of the stack, or else what kubectl finds
   */
  readonly kubeconfig?: Input<string>;
  /** @default - `kubernetes:context` of the stack, or else the current one */
  readonly context?: Input<string>;
}

export class Kubectl {
  readonly #options: readonly string[];

  private constructor(options: readonly string[]) {
    this.#options = options;
  }

  /** Throws where the kubeconfig is made by this very stack, and not yet. */
  static async connect(access: ClusterAccess = {}, config = new Config('kubernetes')): Promise<Kubectl> {
    const value = async (name: 'kubeconfig' | 'context') => {
      const given = access[name];
      if (given === undefined) return resolved(config.getSecret(name));
      const found = await known(given);
      if ('unknown' in found) throw new Error(`its ${name} is not known yet`);
      return found.value;
    };
    const [kubeconfig, context] = await Promise.all([value('kubeconfig'), value('context')]);
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

  /** Throws where nothing answers in time, or without JSON. A refusal is an answer: not everybody may read the version. */
  async reach(signal?: AbortSignal, milliseconds = FIRST_PATIENCE): Promise<void> {
    try {
      await this.get('/version', signal, milliseconds);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** The JSON at a path of the API server. Throws an ApiError where there is nothing, or it may not be read. */
  async get<T>(path: string, signal?: AbortSignal, patience = PATIENCE): Promise<T> {
    const text = await this.#run(['get', '--raw', path], signal, patience);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new Error(`found no JSON at ${path.replace(/\?.*/, '')}, expected the answer of an API server`);
    }
  }

  #run(args: readonly string[], signal?: AbortSignal, timeout = PATIENCE): Promise<string> {
    return new Promise((resolve, reject) => {
      const { env } = process;
      const options = { env, timeout, maxBuffer: LONGEST, ...(signal ? { signal } : {}) };
      const asked = execFile('kubectl', [...args, ...this.#options], options, (error, out, err) => {
        if (!error) return resolve(out);
        if (error.code === 'ENOENT') return reject(new KubectlMissing('found no kubectl on PATH'));
        if (error.killed) {
          return reject(new Error(`it did not answer within ${timeout / 1000} s`));
        }
        if (out.startsWith('Please enter Username')) {
          return reject(new Error('the kubeconfig names no user for this cluster: kubectl asked for one'));
        }
        reject(errorOf(err.trim().split('\n').at(-1) || error.message));
      });
      // It asks for a name and a password where a kubeconfig has no user, and nobody would answer.
      asked.stdin?.end();
    });
  }
}

/** As kubectl words what the API server refuses. */
const REFUSALS: Readonly<Record<string, number>> = { Forbidden: 403, NotFound: 404 };

function errorOf(message: string): Error {
  const [, reason = ''] = /^Error from server \(([A-Za-z]+)\)/.exec(message) ?? [];
  const status = REFUSALS[reason];
  return status === undefined ? new Error(message) : new ApiError(status, reason, message);
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
