/** Every case of `tests/cases` through every layer. `CASES=part-of-a-name` runs only those. */
import { afterAll, describe, it } from '@jest/globals';
import { re2 } from '../../gateway-runtime/regex/re2.ts';
import { translate } from '../../gateway-runtime/translate/translate.ts';
import type { Translation } from '../../gateway-runtime/translate/translation.ts';
import { Translator } from '../../gateway-runtime/translate/translator.ts';
import { address } from './addressed.ts';
import type { CaseRequest } from './case.ts';
import { EchoServers } from './echo-servers.ts';
import { Live } from './live-layer.ts';
import { type Case, loadCases, type Step } from './load.ts';
import { checkMatch, concernsMatchers, MATCHERS } from './match-layer.ts';
import { failOn, type Mismatch } from './mismatch.ts';
import { checkTranslation } from './translate-layer.ts';

const echo = new EchoServers();
afterAll(() => echo.close());

/** Mismatches of one step or request, with where they are in the case. */
function at(step: Step, request: CaseRequest | undefined, found: readonly Mismatch[]): Mismatch[] {
  const { method, url } = request?.request ?? {};
  const where = [step.about, ...(request ? [`${method} ${url}`, request.about] : [])]
    .filter(Boolean)
    .join(' / ');
  return found.map((each) => ({ ...each, what: `${where}: ${each.what}` }));
}

function optionsOf({ form }: Case) {
  return { regex: re2, ...(form.classes ? { classes: form.classes } : {}) };
}

function eachRequest(
  { steps }: Case,
  translations: readonly Translation[],
  check: (step: Step, request: CaseRequest, translation: Translation) => Mismatch[],
): Mismatch[] {
  return steps.flatMap((step, index) =>
    step.requests.flatMap((request) => at(step, request, check(step, request, translations[index]!))),
  );
}

describe.each(loadCases(process.env.CASES).map((each) => [each.name, each] as const))(
  '%s',
  (name, theCase) => {
    const { steps, form } = theCase;
    let translations: Translation[] | undefined;
    const translated = () =>
      (translations ??= steps.map((step) => translate(step.objects, optionsOf(theCase))));

    it('translate', () => {
      failOn(
        name,
        'translate',
        steps.flatMap((step, index) => at(step, undefined, checkTranslation(step, translated()[index]!))),
      );
    });

    const asked = steps.some((step) => step.requests.some(concernsMatchers));
    for (const [layer, matcher] of asked ? Object.entries(MATCHERS) : []) {
      it(layer, () => {
        const found = eachRequest(theCase, translated(), (step, request, { snapshots }) => {
          if (!concernsMatchers(request)) return [];
          const addressed = address(step, request);
          return checkMatch(matcher, snapshots.get(addressed.gateway), addressed, request);
        });
        failOn(name, layer, found);
      });
    }

    if (steps.every((step) => step.requests.length === 0)) return;
    it('live proxy', async () => {
      const live = new Live(form, echo);
      const translator = new Translator(optionsOf(theCase));
      const found: Mismatch[] = [];
      try {
        for (const step of steps) {
          const change = translator.apply(step.changes);
          found.push(...at(step, undefined, await live.enter(step, change, translator.current)));
          found.push(...at(step, undefined, checkTranslation(step, translator.current)));
          for (const request of step.requests)
            found.push(...at(step, request, await live.ask(step, request)));
        }
      } finally {
        await live.close();
      }
      failOn(name, 'live proxy', found);
    });
  },
);
