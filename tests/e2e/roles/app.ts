/** What is in the cluster, as an app. */
import { tenantApp } from './tenant-cluster.ts';

export default tenantApp().app;
