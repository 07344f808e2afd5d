/** What a RoutePolicy of a team can say at all: the part of a Grant's status by which admission judges it. */
import { headerValue } from './fields.ts';
import { boolean, described, type Infer, integer, list, object, optional, string } from './schema.ts';

/** Networks, and values of one thing, that are listed; where there are more, no bound is. */
export const MOST_LISTED = 256;
/** Characters that headers are listed with; where it would be more, none is: an object has to fit into etcd. */
export const MOST_OF_HEADERS = 65_536;

const by = () => described('The policies that say so, and where.', string({ max: 4096 }));
const values = () => list(string({ max: 64 }), { max: MOST_LISTED });

export const bounds = object({
  maxRequestBytes: optional(object({ value: integer({ min: 0, max: 2 ** 40 }), by: by() })),
  minRequestTimeout: optional(object({ value: string({ max: 28 }), by: by() })),
  maxRequestTimeout: optional(object({ value: string({ max: 28 }), by: by() })),
  httpsRedirect: optional(
    object({
      values: described('"no redirect", or status and port: "308 to port 443".', values()),
      by: by(),
    }),
  ),
  ipAllow: optional(object({ values: described('Networks, none within another.', values()), by: by() })),
  responseHeaders: optional(
    described(
      'Headers that are not as a team says.',
      list(
        object({
          name: described('In lower case.', string({ max: 256 })),
          values: described('What it may be set to all the same.', list(headerValue(), { max: MOST_LISTED })),
          removable: described('Whether it may be removed.', boolean()),
          by: by(),
        }),
        { max: MOST_LISTED },
      ),
    ),
  ),
});

/** What is absent has no bound. */
export type Bounds = Infer<typeof bounds>;
