/** The same with two changes: team media has its news read elsewhere, and the platform takes no large bodies. */
import { prefix, redirect } from 'gatewright';
import { tenantApp } from './tenant-cluster.ts';

const { app, shared, site } = tenantApp();
site.rule({ path: prefix('/news') }).to(redirect({ hostname: 'news.example.com' }));
shared.enforce({ httpsRedirect: true });

export default app;
