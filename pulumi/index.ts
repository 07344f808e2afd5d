/**
 * `gatewright/pulumi`: an app as resources of a Pulumi program, and before them what becomes of requests.
 *
 *     const traffic = await previewTraffic(app, { refuse: ['lost', 'cross-team'] });
 *     export const deployedTraffic = traffic.deployedWith(new AppResources('shop', { app }).resources.values());
 */

export type { Approval } from '../gateway-runtime/preview/approval.ts';
export type { Refusable } from '../gateway-runtime/preview/traffic-policy.ts';
export { AppResources, type AppResourcesProps, type TlsPair } from './app-resources.ts';
export type { ClusterAccess } from './kubectl.ts';
export type { KubernetesObject } from './kubernetes-object.ts';
export { waitForRoutes } from './route-wait.ts';
export type { TrafficOptions } from './traffic/options.ts';

export { previewTraffic, type TrafficPreview } from './traffic/preview-traffic.ts';
