/** The formats of access logs that are read, in the order in which a log is tried for them. */
import type { LogFormat } from '../logged-request.ts';
import { ENVOY } from './envoy.ts';
import { GATEWRIGHT } from './gatewright.ts';
import { NGINX, NGINX_VHOST } from './nginx.ts';
import { TRAEFIK } from './traefik.ts';

export const FORMATS: readonly LogFormat[] = [GATEWRIGHT, TRAEFIK, ENVOY, NGINX_VHOST, NGINX];

/** The format of which most of these lines are; undefined where none is that of half of them. */
export function formatOf(lines: readonly string[]): LogFormat | undefined {
  let best: LogFormat | undefined;
  let most = 0;
  for (const format of FORMATS) {
    const count = lines.filter((line) => !('problem' in format.read(line))).length;
    if (count > most) {
      best = format;
      most = count;
    }
  }
  return most * 2 >= lines.length ? best : undefined;
}
