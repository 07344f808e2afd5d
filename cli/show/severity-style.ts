/** How a terminal shows what changes for requests. */
import type { ChangeSeverity } from '../../gateway-runtime/diff/region.ts';
import { styled } from '../terminal.ts';

const STYLES = { lost: 'red', moved: 'yellow', altered: 'yellow', new: 'green', requests: 'bold' } as const;

export const severityStyle = (what: ChangeSeverity | 'requests', text: string): string =>
  styled(STYLES[what], text);
