/** Copies of requests for another Service: `mirror(service('shadow', 80), { percent: 10 })`. */
import type { Backend, ServiceConstruct } from './backend.ts';
import type { Filter } from './filter.ts';
import type { Toward } from './granted.ts';
import { noted, number, optional, read, type Shape, type } from './props.ts';
import { serviceRef } from './service-ref.ts';

export interface MirrorProps {
  /**
   * Of a hundred requests, so many are copied.
   * @default 100
   */
  readonly percent?: number;
  /**
   * In place of `percent`, for small shares: `[1, 1000]` copies one request of a thousand.
   * @default - all requests
   */
  readonly fraction?: readonly [part: number, whole: number];
}

const MIRROR: Shape<MirrorProps> = {
  percent: optional(number),
  fraction: optional(
    type(
      'two numbers, such as [1, 1000],',
      (value) =>
        Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === 'number'),
    ),
  ),
};

/**
 * Sends a copy of each request, or of a share of them, to another Service, whose answers nobody gets. A rule may have several. That of another
 * team needs a ReferenceGrant there.
 */
export function mirror<
  const Namespace extends string = never,
  const Name extends string = string,
  const IsLent extends boolean = false,
>(
  target: Backend<Namespace, Name, IsLent> | ServiceConstruct,
  given: MirrorProps = {},
): Filter & Toward<Namespace, Name, IsLent> {
  const { props, problems } = read('mirror()', given, MIRROR);
  const { ref, problems: ofTarget } = serviceRef('mirror()', target);
  const { percent, fraction } = props;
  const ofShare =
    percent !== undefined && fraction
      ? ['mirror() takes percent or fraction, these are both: leave one out']
      : [];
  const filter: Filter = noted(
    {
      type: 'RequestMirror',
      config: {
        backendRef: ref,
        percent,
        fraction: fraction && { numerator: fraction[0], denominator: fraction[1] },
      },
    },
    [...problems, ...ofTarget, ...ofShare],
  );
  return filter as Filter & Toward<Namespace, Name, IsLent>;
}
