/** Every case of `tests/cases` through every layer. `CASES=part-of-a-name` runs only those. */
import { afterAll, describe, it } from '@jest/globals';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import type { Translation } from '../../gateway-runtime/translate/translation.ts';
import { Translator } from '../../gateway-runtime/translate/translator.ts';
import { ENGINE } from '../support/engine.ts';
import { address } from './addressed.ts';
import type { CaseRequest } from './case.ts';
import { EchoServers } from './echo-servers.ts';
import { checkExplanation, explanationOf } from './explain-layer.ts';
import { notOverHttp2 } from './http2-client.ts';
import { Live } from './live-layer.ts';
import { type Case, loadCases, optionsOf, type Step } from './load.ts';
import { checkMatch, concernsMatchers, MATCHERS } from './match-layer.ts';
import { failOn, type Mismatch } from './mismatch.ts';
import { checkTranslation } from './translate-layer.ts';

const echo = new EchoServers();
afterAll(() => echo.close());

function inStep({ edit }: Step, found: readonly Mismatch[]): Mismatch[] {
  return found.map((each) => ({ ...each, what: edit ? `${edit}: ${each.what}` : each.what }));
}

/** Where in the case it is, and with the last one the explanation of the request. */
function inRequest(
  { form }: Case,
  step: Step,
  request: CaseRequest,
  { snapshots }: Translation,
  found: readonly Mismatch[],
): Mismatch[] {
  if (found.length === 0) return [];
  const { method, url } = request.request;
  const where = [`${method} ${url}`, request.about].filter(Boolean).join(': ');
  const addressed = address(step, request);
  const explanation = explanationOf(snapshots.get(addressed.gateway), addressed, request, form);
  return inStep(
    step,
    found.map((each, index) => ({
      ...each,
      what: `${where}: ${each.what}`,
      ...(index === found.length - 1 ? { explanation } : {}),
    })),
  );
}

describe.each(loadCases(process.env.CASES).map((each) => [each.name, each] as const))(
  '%s',
  (name, theCase) => {
    const { steps, form } = theCase;
    let memory: Translation[] | undefined;
    const translations = () => (memory ??= steps.map((step) => translate(step.objects, optionsOf(theCase))));

    const eachRequest = (check: (step: Step, request: CaseRequest, translation: Translation) => Mismatch[]) =>
      steps.flatMap((step, index) => {
        const translation = translations()[index]!;
        return step.requests.flatMap((request) =>
          inRequest(theCase, step, request, translation, check(step, request, translation)),
        );
      });

    it('translate', () => {
      failOn(
        name,
        'translate',
        steps.flatMap((step, index) => inStep(step, checkTranslation(step, translations()[index]!))),
      );
    });

    const requests = steps.flatMap((step) => step.requests);
    if (requests.some(concernsMatchers)) {
      for (const [layer, matcher] of Object.entries(MATCHERS)) {
        it(layer, () => {
          const found = eachRequest((step, request, { snapshots }) => {
            if (!concernsMatchers(request)) return [];
            const addressed = address(step, request);
            return checkMatch(matcher, snapshots.get(addressed.gateway), addressed, request);
          });
          failOn(name, layer, found);
        });
      }
    }

    if (requests.some(({ raw }) => raw === undefined)) {
      it('explanation', () => {
        const found = eachRequest((step, request, { snapshots }) => {
          if (request.raw !== undefined) return [];
          const addressed = address(step, request);
          return checkExplanation(snapshots.get(addressed.gateway), addressed, request, form);
        });
        failOn(name, 'explanation', found);
      });
    }

    /** Every step, and every request in it. */
    async function checkLive(layer: string, live: Live): Promise<void> {
      const translator = new Translator(optionsOf(theCase));
      const found: Mismatch[] = [];
      try {
        for (const step of steps) {
          const change = translator.apply(step.changes);
          const { current } = translator;
          found.push(...inStep(step, await live.enter(step, change, current)));
          found.push(...inStep(step, checkTranslation(step, current)));
          for (const request of step.requests) {
            found.push(...inRequest(theCase, step, request, current, await live.ask(step, request)));
          }
        }
      } finally {
        await live.close();
      }
      failOn(name, layer, found);
    }

    if (requests.length > 0) it('live proxy', () => checkLive('live proxy', new Live(form, echo)));
    // The engine on node:http has no HTTP/2.
    if (ENGINE === 'http1' && requests.some((request) => notOverHttp2(request) === undefined)) {
      it('live proxy over HTTP/2', () => checkLive('live proxy over HTTP/2', new Live(form, echo, 'HTTP/2')));
    }
  },
);
