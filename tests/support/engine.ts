/** The engine that data planes under test run on: each of jest's projects names one. */
import type { EngineName } from '../../gateway-runtime/proxy/engines.ts';

export const ENGINE = (globalThis as { GATEWRIGHT_ENGINE?: EngineName }).GATEWRIGHT_ENGINE ?? 'http1';
