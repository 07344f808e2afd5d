/** Team data: alone on its gateway. */
import { prefix, TeamChart, TeamRoute } from 'gatewright';
import { app, data, dataEdge } from './platform.ts';
import { workload } from './workload.ts';

const chart = new TeamChart(app, 'data', { team: data });
const query = workload(chart, 'query', 'data/query:1', 9000);

const api = new TeamRoute(chart, 'api', { on: dataEdge });
api.rule({ path: prefix('/v1') }).to(query);
