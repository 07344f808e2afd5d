import type { Chart } from 'cdk8s';
import { Deployment, type Service } from 'cdk8s-plus-25';

/** A program of a team and the Service in front of it. */
export function workload(chart: Chart, name: string, image: string, port: number): Service {
  const deployment = new Deployment(chart, `${name}-deployment`, {
    metadata: { name },
    containers: [{ image, portNumber: port }],
  });
  return deployment.exposeViaService({ name });
}
