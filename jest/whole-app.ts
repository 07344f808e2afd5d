/** What is expected of an app as a whole. */

import { shadowFindings } from '../constructs/findings.ts';
import { wrapped } from '../gateway-runtime/explain/wrapped.ts';
import type { AskedApp } from './asked-app.ts';
import type { Verdict } from './routed.ts';

const WIDTH = 80;

export function noShadowedRules({ translation, appObjects }: AskedApp): Verdict {
  const findings = [...translation.snapshots.values()].flatMap((snapshot) =>
    shadowFindings(snapshot, appObjects),
  );
  const told = findings.map(({ path, message }) =>
    wrapped(`${path ? `[${path}] ` : ''}${message}`, WIDTH - 4).join('\n    '),
  );
  return {
    pass: findings.length === 0,
    message: () =>
      findings.length === 0
        ? 'expect(app).not.toHaveNoShadowedRules()\n\nExpected: a rule that is never reached\nReceived: none'
        : `expect(app).toHaveNoShadowedRules()\n\nExpected: every rule can be reached\nReceived: ${told.length} that can't\n\n  ${told.join('\n  ')}`,
  };
}
