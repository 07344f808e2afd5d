import type { Chart } from 'cdk8s';
import { Deployment, LabelSelector, type Service } from 'cdk8s-plus-25';

/** A program of a team and the Service in front of it. */
export function workload(chart: Chart, name: string, image: string, port: number): Service {
  const labels = { app: name };
  const deployment = new Deployment(chart, `${name}-deployment`, {
    metadata: { name },
    // The label that cdk8s makes up for the selector would change with the names of constructs.
    select: false,
    podMetadata: { labels },
    containers: [{ image, portNumber: port }],
  });
  deployment.select(LabelSelector.of({ labels }));
  return deployment.exposeViaService({ name });
}
