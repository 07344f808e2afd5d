/** Answers of the gateway itself, with the fields that the filters of their rule have for them. */
import type { LocalReply } from '../../filters/definition.ts';
import type { Exchange } from '../exchange.ts';

/** Answers the exchange in place of a backend. */
export function reply(exchange: Exchange, answer: LocalReply): void {
  const { request, outcome } = exchange;
  const { plan, chosen } = outcome;
  if (!plan?.editsReplies) {
    exchange.reply(answer);
    return;
  }
  const headers = [...answer.headers];
  // Those of the rule have the last word, as on the way back.
  const own = plan.filters.some(({ reply: edits }) => edits) ? plan.filters : (chosen?.filters ?? []);
  for (const filter of own) headers.push(...(filter.reply?.(request) ?? []));
  exchange.reply({ ...answer, headers });
}
