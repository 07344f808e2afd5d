/** The Secret in which the authority of data planes is kept, in the namespace of the control plane. */
import { type ApiClient, isStatus } from '../control/cluster/client.ts';
import type { AuthorityStore } from '../control/distribution-authority.ts';

export const AUTHORITY_SECRET = 'gatewright-authority';
const KEY = 'authority.json';
const TIMEOUT = 10_000;

interface Secret {
  readonly metadata: { readonly resourceVersion: string; readonly [field: string]: unknown };
  readonly data?: Readonly<Record<string, string>>;
}

export function authoritySecret(client: Pick<ApiClient, 'call'>, namespace: string): AuthorityStore {
  const all = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  const path = `${all}/${AUTHORITY_SECRET}`;
  return {
    async load() {
      try {
        const { metadata, data } = await client.call<Secret>('GET', path, { timeout: TIMEOUT });
        const content = Buffer.from(data?.[KEY] ?? '', 'base64').toString();
        if (content !== '') return { content, revision: metadata.resourceVersion };
      } catch (error) {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
      throw new Error(
        `the Secret ${namespace}/${AUTHORITY_SECRET} has no ${KEY}; delete it to have a new authority made`,
      );
    },
    async save(content, over) {
      const body = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name: AUTHORITY_SECRET,
          namespace,
          labels: { 'app.kubernetes.io/managed-by': 'gatewright' },
          ...(over === undefined ? {} : { resourceVersion: over }),
        },
        type: 'Opaque',
        data: { [KEY]: Buffer.from(content).toString('base64') },
      };
      try {
        await client.call(over === undefined ? 'POST' : 'PUT', over === undefined ? all : path, {
          body,
          timeout: TIMEOUT,
        });
        return true;
      } catch (error) {
        if (isStatus(error, 409)) return false;
        throw error;
      }
    },
  };
}
