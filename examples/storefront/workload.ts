import type { Chart } from 'cdk8s';
import { Deployment, LabelSelector, Pod, type Service } from 'cdk8s-plus-25';

/** A program of a team and the Service in front of it. */
export function workload(chart: Chart, name: string, image: string, port: number): Service {
  const deployment = new Deployment(chart, `${name}-deployment`, {
    metadata: { name },
    select: false,
    containers: [{ image, portNumber: port }],
  });
  // By default pods are told apart by where the construct stands, and a renamed construct would replace them.
  deployment.podMetadata.addLabel(Pod.ADDRESS_LABEL, name);
  deployment.select(LabelSelector.of({ labels: { [Pod.ADDRESS_LABEL]: name } }));
  return deployment.exposeViaService({ name });
}
