/**
 * The runtime as a library, `gatewright/runtime`: translate objects, ask where a request goes and what a change moves, serve. What is not named here is
 * not public.
 *
 *     const { snapshots } = translate(objects, { regex: re2, classes: 'any' });
 *     const asked = parseRequest('GET https://shop.example.com/cart', ['x-tier: gold']);
 *     if (!('problem' in asked)) explain(snapshots.get('infra/shared-gw')!, asked, asked.request, re2);
 */
export { parse } from './api/kinds.ts';
export type { ObjectRef, RawObject } from './api/object.ts';
export { refKey } from './api/object.ts';
export { type DiffOptions, diff } from './diff/diff.ts';
export type { Region, Witness } from './diff/region.ts';
export { type ReportedRegion, reported } from './diff/report.ts';
export { diffText } from './diff/text.ts';
export { explain } from './explain/explain.ts';
export type { Explanation } from './explain/explanation.ts';
export { parseRequest } from './explain/request.ts';
export { explanationText } from './explain/text.ts';
export type { RegexEngine } from './match/regex.ts';
export type { MatchRequest } from './match/request.ts';
export { Agent, type AgentOptions, type AgentResult, type AgentUpdate } from './proxy/agent.ts';
export { Metrics } from './proxy/telemetry/metrics.ts';
export { re2 } from './regex/re2.ts';
export { type Diagnostic, formatDiagnostic } from './snapshot/diagnostic.ts';
export { applyDelta, difference } from './snapshot/difference.ts';
export type * from './snapshot/snapshot.ts';
export { translate } from './translate/translate.ts';
export type * from './translate/translation.ts';
export { Translator } from './translate/translator.ts';
