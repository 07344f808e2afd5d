/** The Pulumi program of this checkout, configured for the cluster under test. */

import { GATEWAY_API_CRDS, manifests } from '../../cluster/builds.ts';
import { ECHO } from '../../cluster/images.ts';
import { Stack } from '../../pulumi/stack.ts';
import { issue } from '../../support/certificates.ts';

/** Of the certificates, which a stack keeps as secrets. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** The port of the echo image. */
const ECHO_PORT = 3000;

/** The programs of the storefront are not there to be pulled: in their place, pods that echo. */
export async function storefrontStack(image: string): Promise<Stack> {
  const stack = await Stack.create();
  const workload = 'examples/storefront/workload.ts';
  stack.edit(
    workload,
    '[{ image, portNumber: port }]',
    `[{ image: '${ECHO}', portNumber: ${ECHO_PORT}, imagePullPolicy: 'IfNotPresent', resources: {}, envVariables: { NAMESPACE: EnvValue.fromFieldRef(EnvFieldPaths.POD_NAMESPACE), POD_NAME: EnvValue.fromFieldRef(EnvFieldPaths.POD_NAME) } }]`,
  );
  stack.edit(workload, '{ Deployment,', '{ Deployment, EnvFieldPaths, EnvValue,');
  stack.edit(workload, 'select: false,', 'select: false, replicas: 1,');
  stack.edit(workload, '({ name })', `({ name, ports: [{ port, targetPort: ${ECHO_PORT} }] })`);
  await stack.succeed(['config', 'set', 'image', image]);
  await stack.succeed(['config', 'set', 'crds', await manifests(GATEWAY_API_CRDS)]);
  return stack;
}

export const pairFor = (name: string, hosts: readonly string[]): Pair => {
  const { certificate, privateKey } = issue(name, hosts);
  return { certificate, key: privateKey };
};

/** As the README tells to: by standard input, so that no key stands on a command line. */
export const setCertificates = (stack: Stack, pairs: Readonly<Record<string, Pair>>) =>
  stack.succeed(['config', 'set', '--secret', 'certificates'], { input: JSON.stringify(pairs) });
